/** Types of the plain module: see there. */
export declare const shippedNode: string;
