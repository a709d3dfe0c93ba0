import Glibc
import JSON
@_spi(Begat) import NameService
import NetworkServices
@_spi(Begat) import UnixCore

/// `begat get`: documents of a web server, perlipc's webget.
public struct GetClient: Sendable {
  public var settings: GetSettings

  private static let command = CommandRun(command: "begat get")

  public init(_ settings: GetSettings) { self.settings = settings }

  /// Asks for one after another; each has its line on standard error.
  ///
  /// - Returns: whether all came, with a status of 2xx.
  public func run() -> Bool {
    Self.command.attempt(failure: false) {
      let reader = try ReaderOfOutput()
      let session = try WebSession(settings)
      var results: [GetResult] = []
      var isReachable = true
      for (index, document) in settings.documents.enumerated() {
        var result = GetResult(document: document, failure: "not asked, as \(settings.server) was not reached")
        if isReachable {
          // libcurl keeps the time itself; this is for where the document goes.
          let outcome = try withDeadline(settings.timeout.map { Deadline(after: $0) } ?? .never) {
            try session.fetch(document, to: DocumentOutput(path: path(index)))
          }
          switch outcome {
          case .answered(let answer): result = answer
          case .unreachable(let answer):
            result = answer
            isReachable = false
          case .outputFailed(let failure):
            reader.endIfGone(failure.code)
            throw failure
          }
        }
        report(result)
        results.append(result)
      }
      if settings.printsJSON { try StandardStream.say(object(results)) }
      return results.allSatisfy(\.isSuccess)
    }
  }

  private func path(_ index: Int) -> String? {
    guard settings.files.indices.contains(index), settings.files[index] != "-" else { return nil }
    return settings.files[index]
  }

  private func report(_ result: GetResult) {
    if !result.isSuccess {
      Self.command.complain(result.line)
    } else if !settings.isQuiet {
      StandardStream.complain(result.line)
    }
  }

  private func object(_ results: [GetResult]) -> String {
    let object: JSONValue = [
      "server": .string("\(settings.server)"), "documents": .array(results.map(\.object)),
    ]
    return object.text
  }
}

/// Who reads standard output.  Where that one goes away, this process ends by SIGPIPE, as filters do; but the signal
/// is ignored meanwhile, because it may come from the server's connection as well.
private struct ReaderOfOutput {
  private let endsByDefault: Bool

  init() throws(SystemCallError) {
    endsByDefault = try Signal.brokenPipe.disposition == .default
    Signal.brokenPipe.ignore()
  }

  func endIfGone(_ code: ErrorCode) {
    guard endsByDefault, code == .brokenPipe else { return }
    _ = ProcessEnd.by(.brokenPipe)
  }
}
