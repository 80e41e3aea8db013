/* hammer.c: eight threads on the address space at once, each byte verified, each neighbour's changes beside one's own.
 *
 *   slot i of an arena of 8 slots belongs to thread i, but unmaps and protections of thread i also split and merge the
 *   mappings of i - 1 and i + 1: what is adjacent and alike is one VMA
 *
 *   | r w | - | r w | r | ... |   a round: map, fill, verify, close a part, open it, drop a part, unmap, map again
 *
 * Also         a region all threads write different bytes of while its other pages are dropped and closed
 * Output       one checksum over what was read, the same for every order of the threads                      */
#include "program.h"
#include <sys/mman.h>

#define PAGE 4096UL
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW (PROT_READ | PROT_WRITE)
#define THREADS 8
#define SLOT 24
#define ROUNDS 60
#define SHARED 16

static unsigned char *arena, *shared;
static uint64_t sums[THREADS];

static uint64_t mix(uint64_t h, uint64_t value) {
  h = (h ^ value) * 0x9e3779b97f4a7c15UL;
  return h ^ (h >> 29);
}

static unsigned char fillByte(int thread, int round, unsigned long page) {
  return (unsigned char)(thread * 31 + round * 7 + (int)page + 1);
}

static uint64_t verify(unsigned char *at, unsigned long pages, int thread, int round, unsigned long first, int zero) {
  uint64_t h = pages;
  for (unsigned long p = 0; p < pages; p++) {
    unsigned char wanted = zero ? 0 : fillByte(thread, round, first + p);
    uint64_t word = wanted * 0x0101010101010101UL;
    uint64_t *words = (uint64_t *)(at + p * PAGE);
    for (unsigned long i = 0; i < PAGE / 8; i++) must(words[i] == word, "every byte");
    h = mix(h, word);
  }
  return h;
}

static void fill(unsigned char *at, unsigned long pages, int thread, int round) {
  for (unsigned long p = 0; p < pages; p++) memset(at + p * PAGE, fillByte(thread, round, p), PAGE);
}

static void *hammer(void *arg) {
  int me = (int)(intptr_t)arg;
  unsigned char *mine = arena + (unsigned long)me * SLOT * PAGE;
  uint64_t h = (uint64_t)me + 1;
  for (int round = 0; round < ROUNDS; round++) {
    unsigned long cut = 1 + (unsigned long)(me * 5 + round * 3) % (SLOT - 2);
    fill(mine, SLOT, me, round);
    h = mix(h, verify(mine, SLOT, me, round, 0, 0));
    must(mprotect(mine + cut * PAGE, (SLOT - cut) * PAGE, round % 2 ? PROT_NONE : PROT_READ) == 0, "close");
    h = mix(h, verify(mine, cut, me, round, 0, 0));
    must(mprotect(mine + cut * PAGE, (SLOT - cut) * PAGE, RW) == 0, "open");
    h = mix(h, verify(mine + cut * PAGE, SLOT - cut, me, round, cut, 0));
    must(madvise(mine, cut * PAGE, MADV_DONTNEED) == 0, "drop");
    h = mix(h, verify(mine, cut, me, round, 0, 1));
    h = mix(h, verify(mine + cut * PAGE, SLOT - cut, me, round, cut, 0));
    must(munmap(mine + PAGE, (SLOT - 1) * PAGE) == 0, "unmap");
    // Another thread's mapping without a place of its own must not land here for good: the place is taken back at once.
    must(mmap(mine + PAGE, (SLOT - 1) * PAGE, RW, ANON | MAP_FIXED, -1, 0) == mine + PAGE, "map again");
    h = mix(h, verify(mine + PAGE, SLOT - 1, me, round, 0, 1));
    for (unsigned long p = 0; p < SHARED; p += 2) {
      unsigned char *byte = shared + p * PAGE + (unsigned long)me;
      must(*byte == (unsigned char)round, "a byte beside other threads' bytes");
      *byte = (unsigned char)(round + 1);
    }
    unsigned long odd = (unsigned long)(me * 2 + 1);
    shared[odd * PAGE] = 1;
    must(madvise(shared + odd * PAGE, PAGE, MADV_DONTNEED) == 0, "drop one");
    must(shared[odd * PAGE] == 0, "dropped");
    must(mprotect(shared + odd * PAGE, PAGE, PROT_READ) == 0 && mprotect(shared + odd * PAGE, PAGE, RW) == 0, "blink");
  }
  sums[me] = h;
  return NULL;
}

static void slots(void) {
  // Room on both sides, and no hole within reach of mmap's own choice: nothing else maps memory meanwhile.
  arena = mmap(NULL, THREADS * SLOT * PAGE, RW, ANON, -1, 0);
  shared = mmap(NULL, SHARED * PAGE, RW, ANON, -1, 0);
  must(arena != MAP_FAILED && shared != MAP_FAILED, "mmap");
  pthread_t all[THREADS];
  for (intptr_t i = 0; i < THREADS; i++) all[i] = begin(hammer, (void *)i);
  uint64_t h = 0;
  for (int i = 0; i < THREADS; i++) {
    finish(all[i]);
    h = mix(h, sums[i]);
  }
  say("slots %016lx", h);
}

static void *fresh(void *arg) {
  int me = (int)(intptr_t)arg;
  uint64_t h = (uint64_t)me;
  for (int round = 0; round < ROUNDS; round++) {
    unsigned long pages = 1 + (unsigned long)(me + round) % 40;
    unsigned char *at = mmap(NULL, pages * PAGE, RW, ANON, -1, 0);
    must(at != MAP_FAILED, "mmap");
    h = mix(h, verify(at, pages, me, round, 0, 1));
    fill(at, pages, me, round);
    h = mix(h, verify(at, pages, me, round, 0, 0));
    unsigned long half = pages / 2;
    if (half) must(munmap(at, half * PAGE) == 0, "unmap half");
    h = mix(h, verify(at + half * PAGE, pages - half, me, round, half, 0));
    must(munmap(at + half * PAGE, (pages - half) * PAGE) == 0, "unmap");
  }
  sums[me] = h;
  return NULL;
}

static void anywhere(void) {
  uint64_t h = 0;
  together(THREADS, fresh);
  for (int i = 0; i < THREADS; i++) h = mix(h, sums[i]);
  say("anywhere %016lx", h);
}

static const struct section SECTIONS[] = {{"slots", slots}, {"anywhere", anywhere}};
PROGRAM(SECTIONS)
