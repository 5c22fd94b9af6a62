/** Names of the limits that a route can choose. */
export type LimitName = 'default' | 'status' | 'login' | 'reset' | 'upload' | 'pay';
