@_spi(Begat) import UnixCore

/// What `begat get` is asked to do.
public struct GetSettings: Sendable {
  public var server: WebServer
  public var documents: [WebDocument]
  /// Where each document goes; empty where all go to standard output, which is also what "-" means.
  public var files: [String] = []
  public var headers: [RequestHeader] = []
  /// Whether the status line and headers stand before each document, and on standard output also those of answers that
  /// are not kept.
  public var includesHead = false
  /// Whether only the head is asked for.
  public var asksHeadOnly = false
  /// Whether answers are kept that are not the document.
  public var takesAnyStatus = false
  public var followsRedirects = false
  /// For each document altogether.
  public var timeout: Duration?
  /// In bytes, for each document.
  public var maxSize: Int?
  /// Certificates of authorities to trust instead of the machine's.
  public var authorities: String?
  /// Whether any certificate will do, of any authority and any host.
  public var acceptsAnyCertificate = false
  /// The only kind of addresses that is used; nil is both.
  public var family: AddressFamily?
  public var isQuiet = false
  public var printsJSON = false

  public init(server: WebServer, documents: [WebDocument]) {
    self.server = server
    self.documents = documents
  }

  /// Whether an answer of this status is the document; a part of it (206) is, where one was asked for.
  ///
  /// Source: RFC 9110 §14.2, §15.3.7.
  func isDocument(_ status: Int) -> Bool {
    (200..<300).contains(status) && (status != 206 || headers.contains(where: \.asksForPart))
  }

  /// How long connecting may take.
  static let connectLimit: Duration = .seconds(10)
  /// How long nothing may come, where there is no `timeout`.
  static let silenceLimit: Duration = .seconds(30)
  static let mostRedirects = 10
}
