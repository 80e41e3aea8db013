/**
 * The scenarios, one small file each: two actors with one or two operations where every interleaving is to be explored,
 * more where random walks look (tag "large"). docs/checking.md lists them with their twins.
 *
 *   tags   what races: fault munmap mmap mremap guard mprotect dontneed brk stack cow split merge shootdown cpumask idle remote rcu
 *          fork exit truncate page-in writeback release;  whose pages: file shared
 *          what it is about: table (one is retired, or linked), aba, irq (protection irq), layout (halves, fragments), spf
 *          protocol-N   the protocol of docs/concurrency.md that it checks;  wait-X   the wait of its table that it leads into
 *          frames, records   memory that is nearly used up;  large   for random walks, not for exhaustive exploration;  slow   an execution takes milliseconds
 */
import type { Scenario } from "../scenario.js";
import { aroundTruncate } from "./around-truncate.js";
import { attachTruncate } from "./attach-truncate.js";
import { cowCow } from "./cow-cow.js";
import { cowDontneed } from "./cow-dontneed.js";
import { cowExit } from "./cow-exit.js";
import { cowFork } from "./cow-fork.js";
import { cowMprotect } from "./cow-mprotect.js";
import { cowRead } from "./cow-read.js";
import { crossPage } from "./cross-page.js";
import { crossPageDontneed } from "./cross-page-dontneed.js";
import { crossingDontneed } from "./crossing-dontneed.js";
import { crossingMunmap } from "./crossing-munmap.js";
import { dontneedMprotect } from "./dontneed-mprotect.js";
import { faultDontneed } from "./fault-dontneed.js";
import { faultExtend } from "./fault-extend.js";
import { faultFault } from "./fault-fault.js";
import { faultFaultPage } from "./fault-fault-page.js";
import { faultMerge } from "./fault-merge.js";
import { faultMprotect } from "./fault-mprotect.js";
import { faultMprotectOne } from "./fault-mprotect-one.js";
import { faultMremap } from "./fault-mremap.js";
import { faultMunmap } from "./fault-munmap.js";
import { faultMunmapOne } from "./fault-munmap-one.js";
import { faultMunmapTable } from "./fault-munmap-table.js";
import { faultRemap } from "./fault-remap.js";
import { faultSplit } from "./fault-split.js";
import { faultsApart } from "./faults-apart.js";
import { fileFaultPunch } from "./file-fault-punch.js";
import { fileFaultTruncate } from "./file-fault-truncate.js";
import { fileFaultTruncatePrivate } from "./file-fault-truncate-private.js";
import { fileFrameReused } from "./file-frame-reused.js";
import { forkDontneed } from "./fork-dontneed.js";
import { forkFaultStale } from "./fork-fault-stale.js";
import { forkFresh } from "./fork-fresh.js";
import { forkMunmap } from "./fork-munmap.js";
import { forkOrder } from "./fork-order.js";
import { forkStaleCopy } from "./fork-stale-copy.js";
import { forkTruncate } from "./fork-truncate.js";
import { framesForOne } from "./frames-for-one.js";
import { guardFault } from "./guard-fault.js";
import { guardFresh } from "./guard-fresh.js";
import { halvesReused } from "./halves-reused.js";
import { heap } from "./heap.js";
import { irqWalk } from "./irq-walk.js";
import { joinLeave } from "./join-leave.js";
import { joinShootdown } from "./join-shootdown.js";
import { leaving } from "./leave.js";
import { leaveShootdown } from "./leave-shootdown.js";
import { mremapFault } from "./mremap-fault.js";
import { mremapFresh } from "./mremap-fresh.js";
import { mremapTables } from "./mremap-tables.js";
import { munmapMunmap } from "./munmap-munmap.js";
import { munmapTruncate } from "./munmap-truncate.js";
import { munmapTwice } from "./munmap-twice.js";
import { neighbourGoes } from "./neighbour-goes.js";
import { noFrameForPage } from "./no-frame-for-page.js";
import { noFrameForParent } from "./no-frame-for-parent.js";
import { noFrameForTable } from "./no-frame-for-table.js";
import { noFrameForUpgrade } from "./no-frame-for-upgrade.js";
import { noRecordForMap } from "./no-record-for-map.js";
import { noRecordForSplit } from "./no-record-for-split.js";
import { orphans } from "./orphans.js";
import { pageInTwice } from "./page-in-twice.js";
import { pageInWrite } from "./page-in-write.js";
import { parentGoes } from "./parent-goes.js";
import { parentStays } from "./parent-stays.js";
import { periodBegun } from "./period-begun.js";
import { privateSharedWrite } from "./private-shared-write.js";
import { rcuOverload } from "./rcu-overload.js";
import { releaseReopen } from "./release-reopen.js";
import { remapAba } from "./remap-aba.js";
import { remoteDontneed } from "./remote-dontneed.js";
import { remoteExit } from "./remote-exit.js";
import { remoteFault } from "./remote-fault.js";
import { remoteMprotect } from "./remote-mprotect.js";
import { remoteMunmap } from "./remote-munmap.js";
import { remoteWriteMunmap } from "./remote-write-munmap.js";
import { sequenceWrap } from "./sequence-wrap.js";
import { sharedFaultFault } from "./shared-fault-fault.js";
import { sharedWriteWriteback } from "./shared-write-writeback.js";
import { sleepShootdown } from "./sleep-shootdown.js";
import { sleepShootdowns } from "./sleep-shootdowns.js";
import { stackFault } from "./stack-fault.js";
import { stackStack } from "./stack-stack.js";
import { tableDontneed } from "./table-dontneed.js";
import { threeMixed } from "./three-mixed.js";
import { threeTables } from "./three-tables.js";
import { twoTables } from "./two-tables.js";
import { upgradeDontneed } from "./upgrade-dontneed.js";
import { upgradeRead } from "./upgrade-read.js";
import { upgradeUpgrade } from "./upgrade-upgrade.js";
import { walkGracePeriod } from "./walk-grace-period.js";
import { walkMunmapTable } from "./walk-munmap-table.js";
import { writeDontneed } from "./write-dontneed.js";
import { writeGracePeriod } from "./write-grace-period.js";
import { writeMprotect } from "./write-mprotect.js";
import { zeroPageUpgrade } from "./zero-page-upgrade.js";

export const SCENARIOS: readonly Scenario[] = [
  faultMunmap,
  walkMunmapTable,
  twoTables,
  faultMunmapTable,
  faultFault,
  zeroPageUpgrade,
  faultMprotect,
  faultRemap,
  faultDontneed,
  munmapMunmap,
  heap,
  leaving,
  threeMixed,
  threeTables,
  faultFaultPage,
  faultsApart,
  faultMunmapOne,
  walkGracePeriod,
  writeGracePeriod,
  periodBegun,
  remapAba,
  neighbourGoes,
  parentGoes,
  parentStays,
  writeMprotect,
  faultMprotectOne,
  writeDontneed,
  tableDontneed,
  upgradeDontneed,
  upgradeRead,
  upgradeUpgrade,
  faultSplit,
  faultMerge,
  faultExtend,
  stackStack,
  stackFault,
  munmapTwice,
  crossingMunmap,
  crossingDontneed,
  sleepShootdown,
  sleepShootdowns,
  leaveShootdown,
  joinShootdown,
  joinLeave,
  irqWalk,
  crossPage,
  crossPageDontneed,
  remoteMunmap,
  remoteWriteMunmap,
  remoteDontneed,
  remoteFault,
  remoteMprotect,
  sequenceWrap,
  rcuOverload,
  orphans,
  halvesReused,
  noFrameForParent,
  noFrameForTable,
  noFrameForPage,
  framesForOne,
  noFrameForUpgrade,
  noRecordForSplit,
  noRecordForMap,
  forkFaultStale,
  cowCow,
  fileFaultTruncate,
  pageInWrite,
  sharedWriteWriteback,
  faultMremap,
  mremapTables,
  guardFault,
  forkFresh,
  forkMunmap,
  forkDontneed,
  cowExit,
  cowFork,
  cowDontneed,
  cowMprotect,
  cowRead,
  fileFaultTruncatePrivate,
  aroundTruncate,
  fileFaultPunch,
  sharedFaultFault,
  pageInTwice,
  releaseReopen,
  attachTruncate,
  munmapTruncate,
  forkTruncate,
  privateSharedWrite,
  remoteExit,
  forkStaleCopy,
  forkOrder,
  fileFrameReused,
  guardFresh,
  mremapFault,
  mremapFresh,
  dontneedMprotect,
];

export function scenario(name: string): Scenario {
  const found = SCENARIOS.find((s) => s.name === name);
  if (!found) throw new Error(`no scenario ${name}`);
  return found;
}
