import ControlProtocol
import Logging
import UnixIPC

/// When listeners are asked whether they still turn.
struct Watch {
  private(set) var lastQuestion: UInt32 = 0
  private var interval: Int64 = 10_000_000_000
  private(set) var nextTime: Int64

  /// - Parameter managerInterval: within which the manager wants a sign of life; a third of it leaves time to end a
  ///   listener that is stuck and to start another.
  init(managerInterval: Int64? = nil) {
    if let managerInterval { interval = min(interval, max(managerInterval / 3, 1_000_000)) }
    nextTime = Clock.monotonic() + interval
  }

  var isDue: Bool { Clock.monotonic() >= nextTime }

  /// The number of the next question.
  mutating func advance() -> UInt32 {
    lastQuestion &+= 1
    nextTime = Clock.monotonic() + interval
    return lastQuestion
  }
}

extension Supervisor {
  /// Tells the manager that all is well if every listener has answered the last question, ends those that have not,
  /// and asks again.
  func askListeners() {
    var allAnswered = true
    for service in services {
      guard let listener = service.listener, listener.lastAnswer != watch.lastQuestion else { continue }
      allAnswered = false
      // Unready ones may be reading their files; at a stop the deadline is the judge.
      guard listener.readySince != nil, stopDeadline == nil else { continue }
      logger.error(
        "listener \(listener.process) does not answer; ended", metadata: [LogKey.service: "\(service.name)"])
      try? Signal.kill.send(to: listener.process)
    }
    if allAnswered { manager.isAlive() }
    let number = watch.advance()
    for service in services {
      guard let listener = service.listener else { continue }
      try? ListenerChannel.send(.question(number), on: listener.channel)
    }
  }
}
