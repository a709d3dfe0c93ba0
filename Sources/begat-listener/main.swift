import CProgramImage
import ForkingServer
@_spi(Begat) import UnixCore

ProcessControl.takeName("begat-listener")
// A smaller one, as `ulimit -s 64` leaves it, would end the process by SIGSEGV, without a line.
_ = ResourceLimit.stackSize.raise(to: 1 << 20)
let program = ProgramMemory(stack: program_image_stack, threadPages: program_image_thread)
// Connection processes then neither have the listener's stack nor pay for it.
let status =
  PrivateStack.run(size: 1 << 20) { ListenerProgram.run(CommandLine.arguments, in: program) }
  ?? ListenerProgram.run(CommandLine.arguments, in: program)
// No exit handlers: nothing here has any, and a forked process must not run its parent's.
ProcessControl.exitImmediately(status: status)
