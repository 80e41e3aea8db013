/*
 * bench/models/spinlock.pml: the protocol of src/bench/model.ts, access for access, for spin.
 *
 *   LOCKERS × ROUNDS   take the lock by compare-and-swap, waiting for it; load, store count; release
 *   one reader         loads count READS times
 *
 * Each atomic access is one step, as there. Build: spin -a -DLOCKERS=2 -DROUNDS=2 -DREADS=2 spinlock.pml
 */
byte lock;
byte count;

proctype locker() {
  byte round, seen;
  bit got;
  do
  :: round < ROUNDS ->
take:
     d_step { got = (lock == 0); lock = 1 };
     if
     :: got -> d_step { got = 0 }
     :: else -> lock == 0; goto take
     fi;
     seen = count;
     count = seen + 1;
     lock = 0;
     d_step { seen = 0; round++ }
  :: else -> break
  od
}

proctype reader() {
  byte read, seen, before;
  do
  :: read < READS ->
     seen = count;
     assert(seen >= before);
     d_step { before = seen; seen = 0; read++ }
  :: else -> break
  od
}

init {
  byte i;
  atomic {
    do
    :: i < LOCKERS -> run locker(); i++
    :: else -> break
    od;
    run reader()
  }
}
