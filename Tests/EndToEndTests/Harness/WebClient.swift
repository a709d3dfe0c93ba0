import Testing
@_spi(Begat) import UnixCore

/// The answer of an HTTP server.
struct WebAnswer {
  let status: Int
  /// By their names in small letters.
  let fields: [String: String]
  let body: String

  /// - Parameter text: all that came.
  init(_ text: String) throws {
    // Not by characters: CR LF is one.
    let bytes = Array(text.utf8)
    let end = Array("\r\n\r\n".utf8)
    guard let split = bytes.indices.first(where: { bytes[$0...].starts(with: end) }) else {
      throw HarnessFailure("no answer of HTTP: \(text)")
    }
    let lines = bytes[..<split].split(separator: 10).map { line in
      String(decoding: line.last == 13 ? line.dropLast() : line, as: UTF8.self)
    }
    let words = lines[0].split(separator: " ")
    guard words.count > 1, words[0] == "HTTP/1.1", let status = Int(words[1]) else {
      throw HarnessFailure("no answer of HTTP: \(lines[0])")
    }
    self.status = status
    var fields: [String: String] = [:]
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1).map(String.init)
      fields[parts[0].lowercased()] = parts.count > 1 ? String(parts[1].drop(while: { $0 == " " })) : ""
    }
    self.fields = fields
    body = String(decoding: bytes[(split + 4)...], as: UTF8.self)
  }

  /// Sends bytes and receives to the end.
  init(to request: String, at address: String) throws {
    let client = try Client(address)
    try client.send(request)
    try self.init(try client.receiveText())
  }

  /// Asks for a document.
  init(_ path: String, at address: String) throws {
    try self.init(to: "GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n", at: address)
  }
}
