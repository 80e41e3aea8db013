/* The loop that tools/hart-speed.mjs times: compiled once with
 *   riscv64-linux-gnu-gcc -O2 -march=rv64gc -mabi=lp64d -nostdlib -static -fno-builtin -c, its .text is kept there. */
typedef unsigned long u64; typedef unsigned u32; typedef unsigned char u8;
/* Three phases over a 64 KiB table at `t`: fill by xorshift, insertion-sort runs of 16, CRC-32 bit by bit and byte sums. */
u64 work(u64 *t, u64 n, u64 rounds) {
  u64 x = (u64)t | 1, sum = 0;
  for (u64 r = 0; r < rounds; r++) {
    for (u64 i = 0; i < n; i++) { x ^= x << 13; x ^= x >> 7; x ^= x << 17; t[i] = x; }
    for (u64 b = 0; b + 16 <= n; b += 16)
      for (u64 i = b + 1; i < b + 16; i++) {
        u64 v = t[i]; u64 j = i;
        while (j > b && t[j - 1] > v) { t[j] = t[j - 1]; j--; }
        t[j] = v;
      }
    u32 crc = ~0u; u8 *p = (u8 *)t;
    for (u64 i = 0; i < n; i++) {
      crc ^= p[i * 8];
      for (int k = 0; k < 8; k++) crc = (crc >> 1) ^ (0xedb88320u & -(crc & 1));
      sum += (u64)p[i] * 31 + (sum >> 5);
    }
    sum += crc;
  }
  return sum;
}
