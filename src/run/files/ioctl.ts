/** files/ioctl.ts: the few ioctls that programs use to learn what they talk to.
 *  A terminal's settings are kept here as the guest set them; of them the host hears whether lines are edited (ICANON):
 *  canonical or raw. struct termios (asm-generic): 0 iflag | 4 oflag | 8 cflag | 12 lflag | 16 line u8 | 17 cc[19]. */
import { Errno } from "../../core/abi/errno.js";
import { type Call, openOf, type State, type Verb } from "./call.js";
import { fail } from "./fail.js";
import type { Handle } from "./handle.js";
import type { HostTerminal } from "./host.js";
import { Ioctl, Open } from "./linux.js";

const TERMIOS_BYTES = 36;
const TERMIOS2 = 0x802c542a;
const CANONICAL = 2;

/** What a fresh terminal has (drivers/tty/tty_io.c:tty_std_termios), 38400 baud. */
export function freshTermios(): Uint8Array {
  const bytes = new Uint8Array(TERMIOS_BYTES + 8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x500, true); // ICRNL IXON
  view.setUint32(4, 0x5, true); // OPOST ONLCR
  view.setUint32(8, 0xbf, true); // B38400 CS8 CREAD
  view.setUint32(12, 0x8a3b, true); // ISIG ICANON ECHO ECHOE ECHOK ECHOCTL ECHOKE IEXTEN
  bytes.set([3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22], 17); // ^C ^\ DEL ^U ^D .. ^Q ^S ^Z .. ^R ^O ^W ^V
  view.setUint32(36, 38400, true);
  view.setUint32(40, 38400, true);
  return bytes;
}

export const ioctl: Verb = (state, call) => {
  const slot = state.table.slot(call.int(0));
  const description = openOf(state, call.int(0));
  const { handle } = description;
  const request = call.uint(1);
  switch (request) {
    case Ioctl.CloseOnExec:
    case Ioctl.NotCloseOnExec:
      slot.closeOnExec = request === Ioctl.CloseOnExec;
      return 0;
    case Ioctl.NonBlock:
      description.flags &= ~Open.NonBlock;
      if (call.view(2, 4).getInt32(0, true)) description.flags |= Open.NonBlock;
      return 0;
    case Ioctl.BytesAvailable: {
      const count = handle.regular ? Number(handle.stat().size) - description.position : handle.available();
      call.view(2, 4).setInt32(0, Math.max(0, Math.min(count, 0x7fffffff)), true);
      return 0;
    }
  }
  return terminalRequest(state, call, request, terminalOf(handle));
};

function terminalOf(handle: Handle): HostTerminal {
  return handle.terminal ?? fail(Errno.ENOTTY);
}

function terminalRequest(state: State, call: Call, request: number, terminal: HostTerminal): number {
  switch (request) {
    case Ioctl.GetWindowSize: {
      const { rows, columns } = terminal.size();
      const view = call.view(2, 8);
      view.setUint16(0, rows, true);
      view.setUint16(2, columns, true);
      view.setUint32(4, 0, true);
      return 0;
    }
    case Ioctl.TcGets:
    case TERMIOS2: {
      const length = request === TERMIOS2 ? TERMIOS_BYTES + 8 : TERMIOS_BYTES;
      call.bytes(2, length).set(state.world.termios.subarray(0, length));
      return 0;
    }
    case Ioctl.TcSets:
    case Ioctl.TcSetsWait:
    case Ioctl.TcSetsFlush: {
      const next = freshTermios();
      next.set(call.bytes(2, TERMIOS_BYTES));
      terminal.setRaw((new DataView(next.buffer).getUint32(12, true) & CANONICAL) === 0);
      state.world.termios = next;
      return 0;
    }
    case Ioctl.TcBreak:
    case Ioctl.TcFlow:
    case Ioctl.TcFlush:
      return 0;
    case Ioctl.GetProcessGroup:
      call.view(2, 4).setInt32(0, state.world.firstPid, true);
      return 0;
  }
  return fail(Errno.ENOTTY);
}
