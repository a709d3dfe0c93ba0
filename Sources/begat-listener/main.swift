import ForkingServer
@_spi(Begat) import UnixCore

ProcessControl.takeName("begat-listener")
// A smaller one, as `ulimit -s 64` leaves it, would end the process by SIGSEGV, without a line.
_ = ResourceLimit.stackSize.raise(to: 1 << 20)
// No exit handlers: nothing here has any, and a forked process must not run its parent's.
ProcessControl.exitImmediately(status: ListenerProgram.run(CommandLine.arguments))
