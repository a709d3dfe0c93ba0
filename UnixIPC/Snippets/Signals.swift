// Names, dispositions, counters, waits, queues and receivers: what a program does with signals.
import Glibc
import UnixIPC

// Names and numbers, both ways.  Is signal 17 the same as SIGALRM?
if let seventeen = Signal("17"), let alarm = Signal("SIGALRM") {
  print("signal 17 is \(seventeen.name) (\(seventeen.text)), SIGALRM is \(alarm.rawValue): same? \(seventeen == alarm)")
}
for signal in Signal.all.prefix(3) { print(signal.rawValue, signal.name, signal.text, signal.defaultAction) }

// A disposition for the length of a block; the former one returns, whether or not the body throws.
try Signal.withDisposition(.ignored, for: .interrupt, .quit) {
  try Signal.interrupt.raise()
  print("still here")
}

// A handler that counts, if the number of arrivals is all that matters.
try Signal.withDisposition(.counted, for: .user1) {
  for _ in 1...3 { try Signal.user1.raise() }
  print("\(Signal.user1.count) times SIGUSR1")
}

// Blocked signals wait until they are taken, with a deadline.  Real-time signals are queued, with a number each.
if let numbered = Signal.realTime(3) {
  let expected: SignalSet = [.terminate, numbered]
  try expected.withBlocked {
    for value: Int32 in 1...3 { try numbered.send(value, to: getpid()) }
    while let arrival = expected.wait(until: Deadline(after: .milliseconds(100))) {
      print("\(arrival.signal) with \(arrival.value ?? 0) from process \(arrival.process)")
    }
  }
}

// The same as a descriptor, for a program with one thread that waits for other things too.
try SignalQueue.with([.terminate]) { queue in
  let poller = try Poller()
  try poller.add(queue.descriptor, .readable, token: 1)
  try Signal.terminate.raise()
  poller.wait(until: Deadline(after: .seconds(1))) { _ in
    while let arrival = queue.take() { print("asked to end by process \(arrival.process)") }
  }
}

// In a program with threads, a handler passes the signals on, whatever thread they arrive in.
do {
  let received = try SignalDescriptor(.terminationRequests)
  try Signal.hangUp.send(to: getpid())
  if let arrival = received.next(until: Deadline(after: .seconds(1))) { print("received \(arrival.signal)") }
}

// Is a process there?  Three answers, where `kill 0` has one for two of them.
for process: Int32 in [1, 4_000_000] { print("process \(process): \(try Liveness(of: process))") }
