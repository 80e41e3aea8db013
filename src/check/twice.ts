/** A table of twice the length, with what was there in its first half. */
export function twice<T extends Uint8Array | Int32Array | Uint32Array>(old: T): T {
  const made = new (old.constructor as new (length: number) => T)(old.length * 2);
  made.set(old);
  return made;
}
