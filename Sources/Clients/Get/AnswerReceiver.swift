import CCurl
@_spi(Begat) import UnixCore

/// Takes the answer to one question as libcurl receives it, and decides at the end of its head what becomes of it.
///
/// Each `take` returns whether to go on.
final class AnswerReceiver {
  /// Why the rest was not taken.
  enum Stop {
    /// What the server sent is not taken; the words say why.
    case refused(String)
    /// The body of a failure, which was not asked for, is long.
    case notWanted
    case unwritable(SystemCallError)
  }

  private let settings: GetSettings
  let output: DocumentOutput
  private let status: () -> Int
  private let waited: (Int) -> Void
  private let begins: () -> Void
  private let followed: () -> Void
  private(set) var head = AnswerHead()
  /// Whether the head is that of the answer, not of an announcement (1xx) or a redirect that is followed.
  private(set) var isDecided = false
  private(set) var isTaken = false
  private(set) var bytes = 0
  private(set) var stop: Stop?

  /// A body that is not wanted is received only to keep the connection.
  private static let mostUnwanted = 1 << 20

  /// - Parameter status: asks libcurl for the status of the head that has ended.
  /// - Parameter waited: called now and then with the number of bytes of the body that have come.
  /// - Parameter begins: called before the first byte is written.
  /// - Parameter followed: called when a redirect is followed: another document is asked for then.
  init(
    settings: GetSettings, output: DocumentOutput, status: @escaping () -> Int, waited: @escaping (Int) -> Void,
    begins: @escaping () -> Void, followed: @escaping () -> Void = {}
  ) {
    self.settings = settings
    self.output = output
    self.status = status
    self.waited = waited
    self.begins = begins
    self.followed = followed
  }

  func take(headLine: UnsafeRawBufferPointer) -> Bool {
    // Trailers, which could pretend to be another head.
    if isDecided { return true }
    if let problem = head.add(headLine) { return end(.refused(problem)) }
    guard head.isComplete else { return true }
    let status = status()
    let isFollowed = settings.followsRedirects && (300..<400).contains(status) && head.location?.isEmpty == false
    if isFollowed { followed() }
    return status < 200 || isFollowed ? true : decide()
  }

  func take(body: UnsafeRawBufferPointer) -> Bool {
    guard isDecided || decide() else { return false }
    bytes += body.count
    guard isTaken else { return bytes <= Self.mostUnwanted ? true : end(.notWanted) }
    if let most = settings.maxSize, bytes > most { return end(.refused(tooLong)) }
    do throws(SystemCallError) { try output.write(body) } catch { return end(.unwritable(error)) }
    return true
  }

  /// Called about once a second when nothing comes, and more often otherwise.
  func take(progress received: Int) -> Bool {
    // The body of a redirect that is followed is discarded.
    if !isDecided, received > Self.mostUnwanted { return end(.refused("a redirect with an endless body")) }
    waited(received)
    return true
  }

  /// The answer is the one whose head has come last.
  @discardableResult
  func decide() -> Bool {
    let status = status()
    isDecided = true
    head.begin(withStatus: status)
    isTaken = settings.isDocument(status) || settings.takesAnyStatus
    // A file shall not be replaced by what is not the document.
    guard isTaken || showsHead && output.isStandardOutput else { return true }
    if let most = settings.maxSize, isTaken, !settings.asksHeadOnly, let length = head.length, length > most {
      return end(.refused(tooLong))
    }
    do throws(SystemCallError) {
      begins()
      try output.begin()
      if showsHead {
        for line in head.lines { try output.write(line) }
        try output.write(Array("\r\n".utf8))
      }
    } catch { return end(.unwritable(error)) }
    return true
  }

  private var showsHead: Bool { settings.includesHead || settings.asksHeadOnly }

  private var tooLong: String { "longer than \(settings.maxSize ?? 0) bytes" }

  private func end(_ stop: Stop) -> Bool {
    self.stop = stop
    return false
  }
}
