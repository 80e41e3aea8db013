/** files/verbs.ts: which function serves which call. */
import { Errno } from "../../core/abi/errno.js";
import * as attributes from "./attributes.js";
import type { Verb } from "./call.js";
import { Nr } from "./calls.js";
import { copyFileRange, sendFile } from "./copy.js";
import { dup, dup3, fcntl } from "./descriptors.js";
import { chDir, fChDir, getCwd, getDents64 } from "./directory.js";
import { fallocate } from "./fallocate.js";
import { ioctl } from "./ioctl.js";
import { flock } from "./locks.js";
import { memfdCreate } from "./memfd.js";
import { linkAt, mkdirAt, readLinkAt, renameAt2, symlinkAt, unlinkAt } from "./names.js";
import { close, closeRange, eventFd2, openAt, pipe2 } from "./open.js";
import { pidfdOpen } from "./pidfd.js";
import { ppoll, pselect6 } from "./poll.js";
import { shmCtl, shmGet } from "./shm.js";
import * as status from "./status.js";
import * as sync from "./sync.js";
import { lseek, pread, pwrite, read, write } from "./transfer.js";

const VERBS: ReadonlyMap<number, Verb> = new Map<number, Verb>([
  [Nr.GetCwd, getCwd],
  [Nr.EventFd2, eventFd2],
  [Nr.Dup, dup],
  [Nr.Dup3, dup3],
  [Nr.Fcntl, fcntl],
  [Nr.Ioctl, ioctl],
  [Nr.Flock, flock],
  [Nr.MkdirAt, mkdirAt],
  [Nr.UnlinkAt, unlinkAt],
  [Nr.SymlinkAt, symlinkAt],
  [Nr.LinkAt, linkAt],
  [Nr.StatFs, status.statFs],
  [Nr.FStatFs, status.fStatFs],
  [Nr.Truncate, attributes.truncate],
  [Nr.FTruncate, attributes.fTruncate],
  [Nr.Fallocate, fallocate],
  [Nr.FAccessAt, status.fAccessAt],
  [Nr.ChDir, chDir],
  [Nr.FChDir, fChDir],
  [Nr.FChMod, attributes.fChMod],
  [Nr.FChModAt, attributes.fChModAt],
  [Nr.FChOwnAt, attributes.fChOwnAt],
  [Nr.FChOwn, attributes.fChOwn],
  [Nr.OpenAt, openAt],
  [Nr.Close, close],
  [Nr.Pipe2, pipe2],
  [Nr.GetDents64, getDents64],
  [Nr.LSeek, lseek],
  [Nr.Read, read],
  [Nr.Write, write],
  [Nr.PRead64, pread],
  [Nr.PWrite64, pwrite],
  [Nr.PSelect6, pselect6],
  [Nr.PPoll, ppoll],
  [Nr.ReadLinkAt, readLinkAt],
  [Nr.NewFStatAt, status.newFStatAt],
  [Nr.FStat, status.fStat],
  [Nr.Sync, sync.sync],
  [Nr.FSync, sync.fSync],
  [Nr.FDataSync, sync.fDataSync],
  [Nr.SyncFileRange, sync.syncFileRange],
  [Nr.UTimensAt, attributes.utimensAt],
  [Nr.Umask, attributes.umask],
  [Nr.ReadAhead, attributes.readAhead],
  [Nr.FAdvise64, attributes.advise],
  [Nr.SyncFs, sync.syncFs],
  [Nr.RenameAt2, renameAt2],
  [Nr.ShmGet, shmGet],
  [Nr.ShmCtl, shmCtl],
  [Nr.MemfdCreate, memfdCreate],
  [Nr.SendFile, sendFile],
  [Nr.CopyFileRange, copyFileRange],
  [Nr.Statx, status.statx],
  [Nr.PidfdOpen, pidfdOpen],
  [Nr.CloseRange, closeRange],
  [Nr.FAccessAt2, status.fAccessAt2],
  [Nr.FChModAt2, attributes.fChModAt2],
]);

/** No file system here has extended attributes (xattr(7)). */
const noAttributes: Verb = () => -Errno.EOPNOTSUPP;

export function verbOf(nr: number): Verb | undefined {
  return nr >= Nr.SetXattr && nr <= Nr.RemoveXattrLast ? noAttributes : VERBS.get(nr);
}
