/// The processes behind a pipe, in the order in which the bytes go through them.
///
/// Letting go of them kills them, as a `ChildProcess` is.
struct Stages: Sendable {
  /// A class, since arrays hold no values with one owner.
  private final class Stage: @unchecked Sendable {
    var child: ChildProcess?
    init(_ child: consuming ChildProcess) { self.child = consume child }
  }

  private var stages: [Stage] = []

  init() {}
  init(_ child: consuming ChildProcess) { append(child) }

  mutating func append(_ child: consuming ChildProcess) { stages.append(Stage(child)) }

  /// Waits for all of them.
  ///
  /// - Returns: how each ended.
  consuming func wait() throws(CallFailure) -> [ExitStatus] {
    var statuses: [ExitStatus] = []
    for stage in stages {
      guard let child = stage.child.take() else { continue }
      statuses.append(try child.wait())
    }
    return statuses
  }

  /// Ends all of them at once and waits.
  consuming func end(patience: Duration) throws(CallFailure) -> [ExitStatus] {
    for stage in stages { stage.child?.send(.terminate) }
    let deadline = Deadline(after: patience)
    var statuses: [ExitStatus] = []
    for stage in stages {
      guard let child = stage.child.take() else { continue }
      statuses.append(try child.end(patience: deadline.left ?? patience))
    }
    return statuses
  }
}
