/** The closed lists of words: reasons, steps, diagnoses. */

/** Why something failed; probes and transport logs share the list. */
export const reasons = [
  'refused',
  'timeout',
  'reset',
  'host_unreachable',
  'network_unreachable',
  'address_not_available',
  'access_denied',
  'no_buffers',
  'name_not_found',
  'name_no_address',
  'name_server_failure',
  'name_timeout',
  'null_mx',
  'banner_timeout',
  'banner_4xx',
  'banner_5xx',
  'not_smtp',
  'ehlo_rejected',
  'starttls_not_offered',
  'starttls_rejected',
  'tls_handshake',
  'certificate_expired',
  'certificate_not_yet_valid',
  'certificate_name_mismatch',
  'certificate_untrusted',
  'client_certificate_required',
  'auth_rejected',
  'proxy_failed',
  'closed_by_remote',
  'blocked_by_policy',
  'other',
] as const;

export type Reason = (typeof reasons)[number];

/** The questions of one visit, in the order in which they are asked. */
export const stepNames = ['dns', 'tcp', 'banner', 'ehlo', 'starttls', 'tls', 'ehlo_tls', 'quit'] as const;

export type StepName = (typeof stepNames)[number];

/** Steps after which a visit can be ended early with good manners; after STARTTLS a server expects nothing but TLS. */
export const quitAfterSteps = ['tcp', 'banner', 'ehlo'] as const satisfies readonly StepName[];

export type QuitAfter = (typeof quitAfterSteps)[number];

/** What both books say together about one connector and destination. */
export const diagnoses = [
  'destination_down',
  'network_path',
  'name_resolution',
  'smtp_refuses',
  'tls',
  'connector_wide',
  'server_egress',
  'intermittent',
  'recovered',
  'not_probed',
] as const;

export type Diagnosis = (typeof diagnoses)[number];
