import Glibc
@_spi(Begat) import UnixCore

/// The processes behind a pipe, in the order in which the bytes go through them.
///
/// Letting go of them kills them, as a `ChildProcess` is.
public struct Stages: Sendable {
  /// A class, since arrays hold no values with one owner.
  private final class Stage: @unchecked Sendable {
    let process: pid_t
    var child: ChildProcess?
    init(_ child: consuming ChildProcess) {
      process = child.process
      self.child = consume child
    }
  }

  private var stages: [Stage] = []

  init() {}
  init(_ child: consuming ChildProcess) { append(child) }

  mutating func append(_ child: consuming ChildProcess) { stages.append(Stage(child)) }

  /// The first one first.
  public var processes: [pid_t] { stages.map { $0.process } }

  /// How each ended, as far as they have; nil for one that lives.  Does not wait.
  public var statuses: [ExitStatus?] { stages.map { $0.child?.status(by: .immediate) } }

  /// Waits for all of them.
  ///
  /// - Returns: how each ended.
  consuming func wait() throws(SystemCallError) -> [ExitStatus] {
    var statuses: [ExitStatus] = []
    for stage in stages {
      guard let child = stage.child.take() else { continue }
      statuses.append(try child.wait())
    }
    return statuses
  }

  /// Ends all of them at once and waits.
  consuming func end(patience: Duration) throws(SystemCallError) -> [ExitStatus] {
    for stage in stages { stage.child?.send(.terminate) }
    let deadline = Deadline(after: patience)
    var statuses: [ExitStatus] = []
    for stage in stages {
      guard let child = stage.child.take() else { continue }
      statuses.append(try child.end(patience: deadline.remaining ?? patience))
    }
    return statuses
  }
}
