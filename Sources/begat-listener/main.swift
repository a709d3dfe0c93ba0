import ForkingServer
import UnixIPC

// No exit handlers: nothing here has any, and a forked process must not run its parent's.
endProcess(status: ListenerProgram.run(CommandLine.arguments))
