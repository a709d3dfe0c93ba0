import JSON
@_spi(Begat) import UnixCore

/// How it went with one document.
struct GetResult {
  let document: WebDocument
  /// Nil where no answer came.
  var status: Int?
  /// Whether the status says that it is the document.
  var isDocument = false
  var reason: [UInt8] = []
  /// Where an answer of 3xx points to.
  var location: [UInt8]?
  /// Of the body that came, whether it was kept or not.
  var bytes = 0
  var isKept = false
  var seconds = 0.0
  var isConnectionReused = false
  /// Besides the status.
  var failure: String?

  var isSuccess: Bool { failure == nil && isDocument }

  /// `/index.html: 200 OK, 1234 bytes`
  var line: String {
    var parts: [String] = []
    if let status {
      let words = reason.isEmpty ? "" : " " + escaped(reason.prefix(80))
      let target = (300..<400).contains(status) ? location.map { " to \(escaped($0.prefix(200)))" } ?? "" : ""
      parts = ["\(status)\(words)\(target)", "\(bytes) byte\(bytes == 1 ? "" : "s")" + (isKept ? "" : " not kept")]
    }
    if let failure { parts.append(escaped(failure.utf8, doublingBackslashes: false)) }
    return "\(escaped(document.bytes)): " + parts.joined(separator: ", ")
  }

  var object: JSONValue {
    func text(_ bytes: [UInt8]?) -> JSONValue { .optional(bytes) { .string(String(decoding: $0, as: UTF8.self)) } }
    return [
      "document": .string(document.path), "ok": .boolean(isSuccess), "status": .optional(status) { .count($0) },
      "reason": text(status == nil ? nil : reason), "location": text(location), "bytes": .count(bytes),
      "kept": .boolean(isKept), "seconds": .number(seconds), "reused_connection": .boolean(isConnectionReused),
      "error": .optional(failure) { .string($0) },
    ]
  }
}
