// A blocking call in an asynchronous program: a thread of its own, a deadline, and the task's cancellation.
import Glibc
import UnixIPC

/// Runs a blocking body in a thread outside of the pool of Swift's concurrency, and ends its waits when the task is
/// cancelled.  A server uses a thread pool with a limit instead, such as NIOThreadPool.
func blocking<Value: Sendable>(_ body: @escaping @Sendable (Cancellation) throws -> Value) async throws -> Value {
  let cancellation = try Cancellation()
  return try await withTaskCancellationHandler {
    try await withCheckedThrowingContinuation { continuation in
      startThread { continuation.resume(with: Result { try body(cancellation) }) }
    }
  } onCancel: {
    cancellation.cancel()
  }
}

func startThread(_ body: @escaping @Sendable () -> Void) {
  final class Work: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
  var thread = pthread_t()
  let work = Unmanaged.passRetained(Work(body))
  let result = pthread_create(
    &thread, nil,
    {
      Unmanaged<Work>.fromOpaque($0!).takeRetainedValue().body(); return nil
    }, work.toOpaque())
  precondition(result == 0, "pthread_create: \(result)")
  pthread_detach(thread)
}

// A call that takes a cancellation ends as soon as its task is cancelled.
let waiting = Task {
  try await blocking { cancellation in
    let ends = try PipeEnds()
    let isReadable = ends.readEnd.wait(for: .readable, cancelledBy: cancellation)
    return isReadable ? "readable" : "cancelled: \(cancellation.isCancelled)"
  }
}
waiting.cancel()
print(try await waiting.value)

// A call that takes none runs under a deadline, which belongs to the thread.
do {
  try await blocking { _ in
    let ends = try PipeEnds()
    try withDeadline(after: .milliseconds(20)) { _ = try ends.readEnd.readPrefix(1) }
  }
} catch let error as SystemCallError {
  guard error.code == .timedOut else { throw error }
  print("no byte within 20 ms")
}

// Signals reach an asynchronous program through a SignalDescriptor.
let stop = Task {
  try await blocking { cancellation in
    let signals = try SignalDescriptor([.terminate])
    try Signal.terminate.send(to: getpid())
    return signals.next(cancelledBy: cancellation)?.signal
  }
}
if let signal = try await stop.value { print("stopped by \(signal)") }

// Forking is refused, since this process has threads by now.  Programs can be started all the same.
do {
  _ = try ForkedProcess.run { 0 }
} catch { print("no fork: \(error.code.name)") }
print("a program: \(try Program(path: "/bin/true").spawn().waitForExit())")
