// What can be said of a password while it is typed. The rules are the API's (lib/account_password.c), which
// has a list of common ones besides and decides; docs/security.md tells them.
export const PASSWORD_MIN = 12;
export const PASSWORD_MAX = 128;
export type Rule = 'length' | 'address' | 'varied';

const DISTINCT_MIN = 5;

/** One unit over and over, the last one perhaps cut. */
function repeats(text: string): boolean {
  for (let unit = 1; unit <= text.length / 2; unit++) {
    if (text.slice(unit) === text.slice(0, text.length - unit)) return true;
  }
  return false;
}

function holdsAddress(low: string, email: string): boolean {
  const whole = email.trim().toLowerCase();
  const local = whole.split('@')[0] ?? '';
  if (whole === '') return false;
  return low.includes(whole) || (local.length >= 6 && low.length < local.length + 6 && low.includes(local));
}

export function rules(password: string, email: string): Record<Rule, boolean> {
  const low = password.toLowerCase();
  const length = Array.from(password).length;
  return {
    length: length >= PASSWORD_MIN && length <= PASSWORD_MAX,
    address: password !== '' && !holdsAddress(low, email),
    varied: new Set(low).size >= DISTINCT_MIN && !repeats(low),
  };
}
