import JSON
import Monitoring

/// An answer of begatd.
public enum ControlAnswer: Hashable, Sendable {
  case status(StatusReport)
  case connections(ConnectionReport)
  case reload(ReloadReport)
  case order(OrderReport)
  case failure(ControlFailure)

  /// The answer as a line, with its end; never longer than `ControlLanguage.maxAnswerLength`.
  ///
  /// Connections that have no room in it are counted only.
  public var line: [UInt8] {
    var writer = JSONWriter()
    switch self {
    case .status(let report): writer.appendAnswer(report.members)
    case .connections(let report): writer.append(report)
    case .reload(let report): writer.appendAnswer(report.members)
    case .order(let report): writer.appendAnswer(report.members)
    case .failure(let failure): writer.appendAnswer(failure.members, isOK: false)
    }
    guard writer.bytes.count > ControlLanguage.maxAnswerLength else { return writer.bytes }
    return ControlAnswer.failure(
      ControlFailure("the answer is longer than \(ControlLanguage.maxAnswerLength) bytes; ask for less")
    ).line
  }
}

extension JSONWriter {
  fileprivate mutating func appendHead(isOK: Bool) {
    append("{\"version\":")
    append(.integer(ControlLanguage.version))
    append(isOK ? ",\"ok\":true," : ",\"ok\":false,")
  }

  fileprivate mutating func appendAnswer(_ members: [JSONValue.Member], isOK: Bool = true) {
    appendHead(isOK: isOK)
    append(members)
    append("}\n")
  }

  fileprivate mutating func append(_ report: ConnectionReport) {
    appendHead(isOK: true)
    append("\"connections\":[")
    var written = 0
    for connection in report.connections {
      let before = bytes.count
      if written > 0 { append(",") }
      append(connection.json)
      guard bytes.count < ControlLanguage.maxAnswerLength - 64 else {
        removeAll(from: before)
        break
      }
      written += 1
    }
    append("],\"omitted\":")
    append(.count(report.omitted + report.connections.count - written))
    append("}\n")
  }
}

extension ControlFailure {
  fileprivate var members: [JSONValue.Member] {
    [
      JSONValue.Member("error", .string(message)), JSONValue.Member("problems", .texts(problems)),
      JSONValue.Member("status", .count(exitStatus)),
    ]
  }
}

/// Why an answer could not be read.
public enum AnswerError: Error, Hashable, Sendable {
  /// The bytes that came are no answer of a control socket.
  case malformed(String)
  /// begatd speaks another version of the language.
  case version(Int64)
}

extension ControlAnswer {
  /// Reads a line that begatd sent, without its end.
  ///
  /// - Parameter request: what was asked.
  public init(line: [UInt8], to request: ControlRequest.Name) throws(AnswerError) {
    let json: JSONValue
    do throws(JSONReader.Problem) { json = try JSONReader.read(line) } catch { throw .malformed("\(error)") }
    guard let version = json["version"]?.integer else { throw .malformed("\"version\" is missing") }
    guard version == ControlLanguage.version else { throw .version(version) }
    do throws(AnswerProblem) { self = try ControlAnswer(json, to: request) } catch {
      throw .malformed("\"\(error.member)\" is missing or of another kind")
    }
  }

  private init(_ json: JSONValue, to request: ControlRequest.Name) throws(AnswerProblem) {
    guard try json.flag("ok") else {
      self = .failure(
        ControlFailure(
          try json.text("error"), problems: try json.texts("problems"), exitStatus: try json.number("status")))
      return
    }
    switch request {
    case .status: self = .status(try StatusReport(json))
    case .ps: self = .connections(try ConnectionReport(json))
    case .reload: self = .reload(try ReloadReport(json))
    case .drain, .resume, .end, .deny, .allow, .upgrade, .stop: self = .order(try OrderReport(json))
    }
  }
}
