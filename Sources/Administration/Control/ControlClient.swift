import Control
import Glibc
import Settings
@_spi(Begat) import UnixCore

/// Why a request has no answer.
struct ControlClientError: Error, CustomStringConvertible {
  let description: String
  var exitStatus = ControlFailure.failed
  /// Whether there is no begatd that could have answered.
  var isAbsence = false
}

/// Asks begatd.
struct ControlClient {
  let places: ControlPlaces

  /// How long begatd may take to answer what needs no waiting.
  static let patience = Duration.seconds(15)

  /// Sends a request and waits for its answer.
  ///
  /// - Parameter limit: how long begatd may take; nil is forever.
  /// - Returns: the answer, and the line that it came as.
  func ask(_ request: ControlRequest, within limit: Duration?) throws(ControlClientError) -> (
    answer: ControlAnswer, line: [UInt8]
  ) {
    let bytes = request.line
    guard bytes.count <= ControlLanguage.maxRequestLength else {
      throw ControlClientError(
        description: "the request is longer than \(ControlLanguage.maxRequestLength) bytes; name fewer at a time",
        exitStatus: ControlFailure.usage)
    }
    let deadline = limit.map { Deadline(after: $0) } ?? .never
    let connection = try connect(request.name)
    let path = connection.path
    let socket = connection.socket
    let line: [UInt8]
    do throws(SystemCallError) {
      try socket.sendAll(bytes, until: Deadline(after: ControlClient.patience))
      var reader = BufferedReader(socket)
      guard let read = try reader.readLine(limit: ControlLanguage.maxAnswerLength, until: deadline) else {
        throw SystemCallError("read", on: path, code: .connectionReset)
      }
      line = read
    } catch { throw ControlClient.broken(error, path, within: limit) }
    do throws(AnswerError) { return (try ControlAnswer(line: line, to: request.name), line) } catch {
      throw ControlClient.unreadable(error, path)
    }
  }

  /// Connects to the first place at which a begatd answers.
  private func connect(_ request: ControlRequest.Name) throws(ControlClientError) -> Connection {
    let paths = places.paths(for: request)
    var refused: (path: String, error: SystemCallError)?
    for path in paths {
      do throws(SystemCallError) {
        let socket = try ClientSocket.connect(
          to: .unixPath(UnixPath(path)), until: Deadline(after: ControlClient.patience))
        return Connection(socket: socket, path: path)
      } catch {
        let isAbsent = error.code == .noSuchFileOrDirectory || error.code == .connectionRefused
        if !isAbsent { refused = refused ?? (path, error) }
      }
    }
    guard let refused else {
      throw ControlClientError(
        description:
          "no begatd answers at \(printable(paths[0])); start it, or name its control socket: --control PATH",
        isAbsence: true)
    }
    throw ControlClientError(description: ControlClient.advice(refused.error, refused.path, request))
  }

  private struct Connection: ~Copyable {
    let socket: Descriptor
    let path: String
  }

  private static func advice(_ error: SystemCallError, _ path: String, _ request: ControlRequest.Name) -> String {
    let place = printable(path)
    switch error.code {
    case .permissionDenied where request.isQuestion:
      return "\(place): permission denied; use sudo, or be a member of [daemon] control-group"
    case .permissionDenied: return "\(place): permission denied; use sudo"
    case .timedOut: return "\(place): begatd does not answer; look whether it is stopped"
    default: return "\(place): \(error.code)"
    }
  }

  private static func broken(_ error: SystemCallError, _ path: String, within limit: Duration?) -> ControlClientError {
    let place = printable(path)
    switch error.code {
    case .timedOut:
      let time = limit.map { " within \(DurationText.render($0))" } ?? ""
      return ControlClientError(description: "\(place): begatd did not answer\(time); look whether it is stopped")
    case .connectionReset, .brokenPipe:
      return ControlClientError(description: "\(place): begatd closed the connection without an answer")
    case .messageTooLong: return ControlClientError(description: "\(place): the answer is too long for this begat")
    default: return ControlClientError(description: "\(place): \(error.code)")
    }
  }

  private static func unreadable(_ error: AnswerError, _ path: String) -> ControlClientError {
    switch error {
    case .version(let version):
      ControlClientError(
        description: "\(printable(path)): begatd speaks version \(version) of the control language, and this begat, "
          + "\(BegatVersion.text), version \(ControlLanguage.version): use the begat that belongs to it, or restart begatd"
      )
    case .malformed(let what):
      ControlClientError(description: "\(printable(path)): what answers there is no begatd of this version: \(what)")
    }
  }
}
