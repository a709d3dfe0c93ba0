import ControlProtocol
@_spi(Begat) import UnixCore

/// The questions by which begatd finds out whether a process still turns, and its answers.
struct Inquiry {
  private var asked: UInt32 = 0
  private var answered: UInt32 = 0
  private var missed = 0

  /// Whether the last question has its answer.
  var isAnswered: Bool { answered == asked }

  /// Asks anew.
  mutating func ask(on channel: borrowing Descriptor) {
    asked &+= 1
    // A full channel is a question without an answer.
    try? ListenerChannel.send(.question(asked), on: channel)
  }

  /// Late answers count: the process turns.
  mutating func answer(_ number: UInt32) {
    answered = number
    missed = 0
  }

  /// Counts a question that had its whole time and no answer.
  ///
  /// - Returns: whether the process is to be ended: one answer may have been lost, two are a verdict.
  mutating func judge() -> Bool {
    missed = isAnswered ? 0 : missed + 1
    return missed >= 2
  }
}
