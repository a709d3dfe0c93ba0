import ArgumentParser
import Clients
@_spi(Begat) import UnixCore

struct Get: OperandTaker {
  static let configuration = CommandConfiguration(
    commandName: "get",
    abstract: "Fetch documents of a web server.",
    usage: "begat get [<options>] HOST[:PORT] DOCUMENT...\nbegat get [<options>] URL [DOCUMENT...]",
    discussion: """
      The documents come to standard output one after another, byte for byte, and each has a line on standard error. \
      One that fails does not keep the others from coming. The exit status is 0 where all came whole and with a status \
      of 2xx, else 1.
      """)

  @Argument(
    help: ArgumentHelp(
      "A host as HOST, HOST:PORT or [ADDRESS]:PORT, a Unix socket as /PATH or @NAME, or a URL.", valueName: "host"),
    completion: .hosts)
  var host: String

  @Argument(
    help: ArgumentHelp(
      "What to ask for, such as /index.html; sent as it is. A blank in a name is written %20.", valueName: "document"))
  var documents: [String] = []

  @Option(
    name: [.customShort("o"), .long],
    help: ArgumentHelp(
      "Write a document to this file, which is replaced once the document has come whole; - is standard output. Once "
        + "for each document, in their order.", valueName: "file"), completion: .file())
  var output: [String] = []

  @Flag(
    name: [.customShort("i"), .long],
    help: "Put the status line and headers before each document; on standard output, show those of failures too.")
  var include = false

  @Flag(help: "Ask for the headers alone, and print them.")
  var head = false

  @Flag(
    help: ArgumentHelp(
      "Take documents of another status than 2xx as well, such as the page that says what was not found, and a part of "
        + "one (206) where no Range header asked for it."))
  var anyStatus = false

  @Flag(name: [.customShort("L"), .long], help: "Go where redirects lead, ten times at most.")
  var location = false

  @Option(
    help: ArgumentHelp("Send this header too; may be given several times.", valueName: "name: value"))
  var header: [String] = []

  @Option(
    help: ArgumentHelp(
      "How long one document may take altogether, writing included (default: 10 s to connect, then until nothing comes "
        + "for 30 s).",
      valueName: "time"), transform: readTimeLimit)
  var timeout: Duration?

  @Option(
    help: ArgumentHelp("The longest document that is taken: a number of bytes, 64K, 10M, 1G.", valueName: "size"),
    transform: readSize)
  var maxSize: Int?

  @Option(
    help: ArgumentHelp("Trust the certificates in this file instead of the machine's.", valueName: "file"),
    completion: .file())
  var caFile: String?

  @Flag(
    name: [.customShort("k"), .long], help: "Take any certificate of an https server, so that any machine may be it.")
  var insecure = false

  @OptionGroup var family: FamilyOptions

  @Flag(help: "Say only what failed.")
  var quiet = false

  @Flag(help: "Print one JSON object about the documents, which all go to files.")
  var json = false

  mutating func add(_ words: [String]) { documents += words }

  func validate() throws { _ = try settings() }

  func run() throws {
    if !GetClient(try settings()).run() { throw ExitCode.failure }
  }

  // Not while the arguments are parsed: the parser's own words would show them as they are.
  private func settings() throws -> GetSettings {
    try refuseUnreadableWords()
    let server: WebServer
    let all: [WebDocument]
    do throws(WebServer.Problem) {
      server = try WebServer(host)
      all = try TypedWords.bytes(of: documents).map { word throws(WebServer.Problem) in try WebDocument(bytes: word) }
    } catch { throw ValidationError(error.description) }
    var settings = GetSettings(server: server, documents: all)
    settings.documents = try choose(server, all)
    guard output.isEmpty || output.count == settings.documents.count else {
      throw ValidationError("\(settings.documents.count) documents need as many --output, or none")
    }
    if json, output.isEmpty || output.contains("-") {
      throw ValidationError("--json needs an --output file for each document: both would go to standard output")
    }
    settings.headers = try header.map(readHeader)
    settings.files = output
    settings.includesHead = include
    settings.asksHeadOnly = head
    settings.takesAnyStatus = anyStatus
    settings.followsRedirects = location
    settings.timeout = timeout
    settings.maxSize = maxSize
    settings.authorities = caFile
    settings.acceptsAnyCertificate = insecure
    settings.family = family.family
    settings.isQuiet = quiet
    settings.printsJSON = json
    return settings
  }

  /// What was not UTF-8 has become U+FFFD, and would mean another file.
  private func refuseUnreadableWords() throws {
    for word in [host] + output + header + (caFile.map { [$0] } ?? []) where word.unicodeScalars.contains("\u{FFFD}") {
      throw ValidationError("\(escaped(word.utf8)): is not UTF-8, as names and headers must be; a link may lead there")
    }
  }

  private func choose(_ server: WebServer, _ documents: [WebDocument]) throws -> [WebDocument] {
    guard !documents.isEmpty else {
      guard let document = server.document else { throw ValidationError("a document is missing, such as /") }
      return [document]
    }
    if let document = server.document, document.path != "/" {
      throw ValidationError("the URL has a document already: \(escaped(document.path.utf8))")
    }
    return documents
  }
}

private func readHeader(_ text: String) throws -> RequestHeader {
  guard let header = RequestHeader(text) else {
    throw ValidationError("\(escaped(text.utf8)): a header is \"Name: value\", without control characters")
  }
  return header
}
