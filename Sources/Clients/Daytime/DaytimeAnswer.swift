import JSON
@_spi(Begat) import UnixCore

/// What a daytime server said.
///
/// Source: RFC 867.
struct DaytimeAnswer: Equatable {
  /// Its lines, fit for a terminal; those with nothing in them are left out.
  var lines: [String] = []
  /// What is wrong with it, besides what it says.
  var complaint: String?

  /// What a server may send at most: far more than the one line that is wanted.
  static let longest = 512

  init(_ outcome: SurveyOutcome, within limit: Duration) {
    switch outcome {
    case .failed(let reason): complaint = reason
    case .answered(let answer):
      // The protocol leaves the form to the server: some begin with an empty line.
      lines = answer.bytes.fields(separatedBy: "\r\n").filter { !$0.isEmpty }.map(\.escaped)
      switch answer.ending {
      case .tooLong: complaint = "more than \(answer.bytes.count) bytes"
      case .unended: complaint = "no end of its answer within \(Survey.text(of: limit))"
      case .complete: complaint = lines.isEmpty ? "closed without an answer" : nil
      }
    }
  }

  /// The same for programs.
  func json(_ host: String) -> JSONValue {
    var members = [JSONValue.Member("host", .string(host))]
    if !lines.isEmpty { members.append(.init("daytime", .string(lines.joined(separator: "\n")))) }
    if let complaint { members.append(.init("error", .string(complaint))) }
    return .object(members)
  }
}
