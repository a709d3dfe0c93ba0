@_spi(Begat) import UnixCore

/// How begatd was started, for a program that takes its place.
struct Invocation {
  /// An absolute path; nil for the usual place.
  var configurationFile: String?
  var leavesListeners = false
  /// An absolute path.
  var pidFile: String?
  /// Whether the terminal was left.
  var isDetached = false
  /// The path at which an upgrade looks for its program.
  var upgradePath = ""

  /// The arguments of the program that takes over.
  ///
  /// A start's `--daemon` and `--ready-fd` are done already.
  ///
  /// - Parameter takeover: what it takes over, and how.
  func arguments(_ takeover: Takeover) -> [String] {
    var words: [String] = []
    if let configurationFile { words += ["--config", configurationFile] }
    if leavesListeners { words.append("--leave-listeners") }
    if let pidFile { words += ["--pid-file", pidFile] }
    return words + takeover.arguments
  }
}

/// The options by which a program of begatd learns that it takes over from another one in the same process.
public struct Takeover: Sendable {
  /// The descriptor of the document that describes everything (`Succession`).
  public var document: CInt
  /// Whether it is a child that only tries whether it could.
  public var isTrial: Bool
  /// The descriptor of the program before, which is executed again if this one cannot go on; nil if there is none.
  public var former: CInt?
  /// Why a newer program could not go on, for the one that was executed again; nil for an upgrade.
  public var refusal: String?

  public init(document: CInt, isTrial: Bool = false, former: CInt? = nil, refusal: String? = nil) {
    self.document = document
    self.isTrial = isTrial
    self.former = former
    self.refusal = refusal
  }

  var arguments: [String] {
    ["--take-over", "\(document)"] + (isTrial ? ["--trial"] : [])
      + (former.map { ["--former-program", "\($0)"] } ?? [])
      + (refusal.map { ["--refusal", $0] } ?? [])
  }
}
