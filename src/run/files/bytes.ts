/** files/bytes.ts: file names as Linux has them, bytes.
 *  Inside the service a name or path is a *byte string*: a JavaScript string whose every character is one byte (0-255).
 *  So any name the guest makes survives unchanged, valid UTF-8 or not, and compares and splits as an ordinary string. */

/** The NUL-terminated byte string at offset; the whole rest if there is no NUL. */
export function readByteString(bytes: Uint8Array, offset: number): string {
  let end = bytes.indexOf(0, offset);
  if (end < 0) end = bytes.length;
  let text = "";
  for (let i = offset; i < end; i += 4096) {
    text += String.fromCharCode(...bytes.subarray(i, Math.min(i + 4096, end)));
  }
  return text;
}

/** Writes the byte string; how many bytes fitted. */
export function writeByteString(bytes: Uint8Array, offset: number, text: string): number {
  const length = Math.min(text.length, bytes.length - offset);
  for (let i = 0; i < length; i++) bytes[offset + i] = text.charCodeAt(i);
  return length;
}

export function toBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  writeByteString(bytes, 0, text);
  return bytes;
}

/** An ordinary string's UTF-8 bytes as a byte string, and back (what is not UTF-8 becomes U+FFFD). */
export const fromText = (text: string): string => readAll(new TextEncoder().encode(text));
export const toText = (bytes: string): string => new TextDecoder().decode(toBytes(bytes));

function readAll(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 4096) text += String.fromCharCode(...bytes.subarray(i, i + 4096));
  return text;
}
