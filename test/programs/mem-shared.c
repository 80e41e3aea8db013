/* mem-shared.c: memory that several mappings and processes have together: shared anonymous, memfd and its seals, shm. */
#include "mem.h"
#include <sys/ipc.h>
#include <sys/shm.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#define MFD_EXEC 16U
#endif
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 16
#endif
#define F_SEAL_EXEC_ 32

static char *common;

static void writerChild(void) {
  bytes("the child sees", common, 4);
  STORE(common + 2 * PAGE, 50);
  STORE(common + 3 * PAGE, 60);
}

static void anonymous(void) {
  common = room(16);
  mmap(common, 4 * PAGE, RW, SHARED | MAP_FIXED, -1, 0);
  bytes("zero", common, 4);
  STORE(common, 1);
  STORE(common + 2 * PAGE, 3);
  ended("child", inChild(writerChild));
  bytes("the parent sees", common, 4);
  SHOW(mprotect(common, 4 * PAGE, R));
  STORE(common, 9);
  SHOW(munmap(common + PAGE, PAGE));
  bytes("a hole", common, 4);
  munmap(common, 4 * PAGE);
  int zero = open("/dev/zero", O_RDWR);
  mmap(common, 4 * PAGE, RW, MAP_SHARED | MAP_FIXED, zero, 0);
  close(zero);
  mark(common, 4, 1);
  ended("/dev/zero", inChild(writerChild));
  bytes("the parent sees", common, 4);
  munmap(common, 16 * PAGE);
}

static void unmapChild(void) {
  munmap(common, 4 * PAGE);
  anon(common, 4, RW);
  mark(common, 4, 90);
}

static void apart(void) {
  common = room(16);
  mmap(common, 4 * PAGE, RW, SHARED | MAP_FIXED, -1, 0);
  mark(common, 4, 1);
  ended("a child unmaps it", inChild(unmapChild));
  bytes("the parent's is not touched", common, 4);
  munmap(common, 16 * PAGE);
}

static void memoryFiles(void) {
  char *at = room(16);
  SHOW(memfd_create("a", 0x1000) >= 0);
  SHOW(memfd_create("a", 0x1000));
  SHOW(memfd_create((char *)TOP, 0));
  char name[300];
  memset(name, 'x', sizeof name);
  name[250] = 0;
  SHOW(memfd_create(name, 0));
  name[249] = 0;
  int fd = memfd_create(name, MFD_CLOEXEC);
  say("249 letters %d, close on exec %d", fd >= 0, fcntl(fd, F_GETFD));
  close(fd);
  fd = memfd_create("", 0);
  struct stat st;
  fstat(fd, &st);
  say("size %ld, regular %d, mode %o, links %d", (long)st.st_size, S_ISREG(st.st_mode), (int)(st.st_mode & 0777), (int)st.st_nlink);
  SHOW(fcntl(fd, F_GETFL) & O_ACCMODE);
  mmap(at, 2 * PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0);
  LOAD(at);
  SHOW(ftruncate(fd, PAGE + 10));
  strip("two pages", at, 2);
  STORE(at, 7);
  char text[4] = "";
  SHOW(pread(fd, text, 1, 0));
  SHOW(text[0]);
  SHOW(pwrite(fd, "abc", 3, 3 * (long)PAGE));
  fstat(fd, &st);
  say("size %ld", (long)st.st_size);
  SHOW(lseek(fd, 0, SEEK_END));
  SHOW(read(fd, text, 1));
  char *again = mmap(at + 4 * PAGE, 4 * PAGE, RW, MAP_SHARED, fd, 0);
  bytes("a second mapping", again, 4);
  close(fd);
  STORE(again + PAGE, 8);
  bytes("closed", at, 2);
  munmap(at, 16 * PAGE);
}

static void seals(void) {
  char *at = room(16);
  int fd = memfd_create("plain", 0);
  SHOW(fcntl(fd, F_GET_SEALS));
  SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
  close(fd);
  fd = memfd_create("sealed", MFD_ALLOW_SEALING);
  SHOW(fcntl(fd, F_GET_SEALS));
  SHOW(ftruncate(fd, 4 * PAGE));
  SHOW(fcntl(fd, F_ADD_SEALS, 0x1000));
  SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
  SHOW(ftruncate(fd, 3 * PAGE));
  SHOW(ftruncate(fd, 5 * PAGE));
  SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
  SHOW(ftruncate(fd, 6 * PAGE));
  SHOW(ftruncate(fd, 5 * PAGE));
  SHOW(pwrite(fd, "x", 1, 5 * (long)PAGE));
  SHOW(pwrite(fd, "xy", 2, 5 * (long)PAGE - 1));
  SHOW(pwrite(fd, "x", 1, 0));
  PLACE(mmap(at, 4 * PAGE, RW, MAP_SHARED, fd, 0));
  SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
  mprotect(at, 4 * PAGE, R);
  SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
  munmap(at, 4 * PAGE);
  PLACE(mmap(at, 4 * PAGE, RW, MAP_PRIVATE, fd, 0));
  SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
  STORE(at, 9);
  SHOW(pwrite(fd, "x", 1, 0));
  PLACE(mmap(at + 8 * PAGE, PAGE, RW, MAP_SHARED, fd, 0));
  SHOW(madvise(at, PAGE, MADV_REMOVE) < 0);
  SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL));
  SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
  SHOW(fcntl(fd, F_GET_SEALS));
  munmap(at, 16 * PAGE);
  close(fd);
}

static void futureWrites(void) {
  char *at = room(8);
  int fd = memfd_create("future", MFD_ALLOW_SEALING);
  SHOW(ftruncate(fd, PAGE));
  PLACE(mmap(at, PAGE, RW, MAP_SHARED, fd, 0));
  SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
  STORE(at, 3);
  LOAD(at);
  PLACE(mmap(at + 2 * PAGE, PAGE, RW, MAP_SHARED, fd, 0));
  PLACE(mmap(at + 2 * PAGE, PAGE, R, MAP_SHARED, fd, 0));
  SHOW(mprotect(at + 2 * PAGE, PAGE, RW));
  PLACE(mmap(at + 4 * PAGE, PAGE, RW, MAP_PRIVATE, fd, 0));
  SHOW(pwrite(fd, "x", 1, 0));
  munmap(at, 8 * PAGE);
  close(fd);
}

static void execution(void) {
  int fd = memfd_create("x", MFD_NOEXEC_SEAL);
  if (unsupported(fd < 0)) return;
  SHOW(fcntl(fd, F_GET_SEALS));
  struct stat st;
  fstat(fd, &st);
  say("mode %o", (int)(st.st_mode & 0777));
  SHOW(fchmod(fd, 0777));
  close(fd);
  SHOW(memfd_create("x", MFD_NOEXEC_SEAL | MFD_EXEC));
  fd = memfd_create("x", MFD_EXEC);
  SHOW(fcntl(fd, F_GET_SEALS));
  close(fd);
}

static void punched(void) {
  char *at = room(8);
  int fd = memfd_create("punched", 0);
  SHOW(ftruncate(fd, 4 * PAGE));
  mmap(at, 4 * PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0);
  mark(at, 4, 1);
  SHOW(syscall(SYS_fallocate, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE, 2 * PAGE));
  bytes("punched", at, 4);
  SHOW(syscall(SYS_fallocate, fd, FALLOC_FL_PUNCH_HOLE, PAGE, PAGE));
  SHOW(syscall(SYS_fallocate, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 100, 200));
  say("a part of a page %d %d", at[0], at[150]);
  SHOW(syscall(SYS_fallocate, fd, 0, 4 * PAGE, PAGE));
  struct stat st;
  fstat(fd, &st);
  say("size %ld", (long)st.st_size);
  munmap(at, 8 * PAGE);
  close(fd);
}

static int id;

static void attachChild(void) {
  char *at = shmat(id, NULL, 0);
  say("the child reads %d", at[10]);
  at[10] = 22;
  say("detached %s", outcome(shmdt(at)));
}

static void inheritChild(void) {
  say("inherited %d", common[10]);
  common[10] = 33;
}

static void segments(void) {
  id = shmget(IPC_PRIVATE, 3 * PAGE, IPC_CREAT | 0600);
  must(id >= 0, "shmget");
  struct shmid_ds info;
  SHOW(shmctl(id, IPC_STAT, &info));
  say("size %ld, attached %ld", (long)info.shm_segsz, (long)info.shm_nattch);
  common = shmat(id, NULL, 0);
  must(common != (void *)-1, "shmat");
  bytes("zero", common, 3);
  common[10] = 11;
  ended("child", inChild(attachChild));
  say("then %d", common[10]);
  ended("child", inChild(inheritChild));
  say("then %d", common[10]);
  shmctl(id, IPC_STAT, &info);
  say("attached %ld, by its maker %d", (long)info.shm_nattch, info.shm_cpid == getpid());
  char *second = shmat(id, NULL, SHM_RDONLY);
  say("read only %d", load(second + 10));
  say("store %s", store(second + 10, 1) < 0 ? faultName() : "ok");
  SHOW(shmctl(id, IPC_RMID, NULL));
  shmctl(id, IPC_STAT, &info);
  say("to be destroyed: %d, attached %ld", (info.shm_perm.mode & SHM_DEST) != 0, (long)info.shm_nattch);
  say("still there %d", common[10]);
  SHOW(shmdt(second));
  SHOW(shmdt(second));
  SHOW(shmdt(common));
  SHOW(shmctl(id, IPC_STAT, &info));
  SHOW((long)shmat(id, NULL, 0));
}

static void segmentErrors(void) {
  key_t key = 0x46610000 + getpid() % 0xffff;
  struct shmid_ds info;
  SHOW(shmget(key, PAGE, 0));
  SHOW(shmget(IPC_PRIVATE, 0, IPC_CREAT | 0600));
  SHOW(shmget(IPC_PRIVATE, -1UL, IPC_CREAT | 0600));
  id = shmget(key, PAGE + 1, IPC_CREAT | IPC_EXCL | 0600);
  must(id >= 0, "shmget");
  SHOW(shmget(key, PAGE, IPC_CREAT | IPC_EXCL | 0600));
  SHOW(shmget(key, PAGE, IPC_CREAT | 0600) == id);
  SHOW(shmget(key, 0, 0) == id);
  SHOW(shmget(key, 3 * PAGE, 0));
  SHOW((long)shmat(-1, NULL, 0));
  char *at = room(8);
  SHOW((long)shmat(id, at + 1, 0));
  say("rounded down %d", shmat(id, at + PAGE + 1, SHM_RND) == at + PAGE);
  SHOW((long)shmat(id, at + PAGE, 0));
  say("replaced %d", shmat(id, at + PAGE, SHM_REMAP) == at + PAGE);
  SHOW((long)shmat(id, NULL, SHM_REMAP));
  strip("two pages", at, 4);
  SHOW(shmdt(at));
  SHOW(shmdt(at + 1));
  SHOW(shmdt(at + 2 * PAGE));
  SHOW(shmctl(id, 999, &info));
  SHOW(shmctl(-1, IPC_STAT, &info));
  SHOW(shmctl(id, IPC_STAT, (void *)TOP));
  SHOW(shmctl(id, IPC_RMID, NULL));
  SHOW(shmget(key, PAGE, 0));
  SHOW(shmdt(at + PAGE));
}

static void lowest(void) {
  SHOW(shm_unlink("/faultline-none"));
  shm_unlink("/faultline-shm");
  int fd = shm_open("/faultline-shm", O_RDWR | O_CREAT | O_EXCL, 0600);
  must(fd >= 0, "shm_open");
  SHOW(shm_open("/faultline-shm", O_RDWR | O_CREAT | O_EXCL, 0600));
  SHOW(ftruncate(fd, PAGE));
  char *at = room(4);
  mmap(at, PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0);
  STORE(at, 6);
  int other = shm_open("/faultline-shm", O_RDONLY, 0);
  char *second = mmap(at + 2 * PAGE, PAGE, R, MAP_SHARED, other, 0);
  LOAD(second);
  SHOW(shm_unlink("/faultline-shm"));
  STORE(at, 7);
  LOAD(second);
  munmap(at, 4 * PAGE);
  close(fd), close(other);
}

static const struct section SECTIONS[] = {
    SECTION(anonymous), SECTION(apart),   SECTION(memoryFiles), SECTION(seals),         SECTION(futureWrites),
    SECTION(execution), SECTION(punched), SECTION(segments),    SECTION(segmentErrors), SECTION(lowest),
};
PROGRAM(SECTIONS)
