import CProgramBreak
import ForkingServer
@_spi(Begat) import UnixCore

ProcessControl.takeName("begat-listener")
// A smaller one, as `ulimit -s 64` leaves it, would end the process by SIGSEGV, without a line.
_ = ResourceLimit.stackSize.raise(to: 1 << 20)
var threadSize = 0
let threadStart = program_break_thread(&threadSize)
let threadPages = UnsafeMutableRawBufferPointer(start: threadStart, count: threadSize)
// Connection processes then neither have the listener's stack nor pay for it.
let status =
  PrivateStack.run(size: 1 << 20) { ListenerProgram.run(CommandLine.arguments, threadPages: threadPages) }
  ?? ListenerProgram.run(CommandLine.arguments, threadPages: threadPages)
// No exit handlers: nothing here has any, and a forked process must not run its parent's.
ProcessControl.exitImmediately(status: status)
