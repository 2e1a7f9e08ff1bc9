/** The ends of a session that the demo can write into transport logs. */

/** How the sessions of an outage end, by the reason that the logs tell. */
export type Ending =
  'refused' | 'timeout' | 'banner_timeout' | 'banner_5xx' | 'starttls_not_offered' | 'certificate_expired';
