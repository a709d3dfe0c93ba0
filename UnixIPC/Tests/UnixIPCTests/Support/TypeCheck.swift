import Glibc
import Testing
import UnixIPC
import UnixIPCTestSupport

/// What the compiler says to a source, with the modules of this build.
struct TypeCheck {
  struct Message {
    let line: Int
    /// With the notes that belong to it.
    var text: String
  }

  let errors: [Message]

  init(_ source: String) throws {
    let directory = try TemporaryDirectory()
    try directory.write(source.utf8, to: "probe.swift")
    let build = try #require(
      ProbeProgram.buildDirectories().first { access("\($0)/Modules/UnixIPC.swiftmodule", R_OK) == 0 },
      "the modules of this build are not found")
    // From types to the end of the checks of lifetimes, which come later.
    let program = Program(
      path: try #require(TypeCheck.compiler),
      arguments: [
        "-emit-sil", "-o", "/dev/null", "-swift-version", "6", "-diagnostic-style=llvm", "-suppress-warnings",
        "-module-cache-path", directory["cache"], "-I", "\(build)/Modules", "-Xcc",
        "-fmodule-map-file=\(build)/CPlatform.build/module.modulemap", directory["probe.swift"],
      ], environment: .inherited)
    let capture = try program.capture(errors: .withOutput, limit: 1 << 20, until: Deadline(after: .seconds(50)))
    try #require(capture.ending == .complete)
    errors = TypeCheck.messages(String(decoding: capture.output, as: UTF8.self))
    #expect(capture.isSuccess == errors.isEmpty, "\(String(decoding: capture.output, as: UTF8.self))")
  }

  /// Reads `FILE:LINE:COLUMN: error: TEXT`; what follows up to the next error belongs to it.
  private static func messages(_ output: String) -> [Message] {
    var messages: [Message] = []
    for line in output.split(separator: "\n") {
      let fields = line.split(separator: ":", maxSplits: 4)
      if fields.count == 5, fields[3] == " error" {
        messages.append(Message(line: fields[0].hasSuffix("/probe.swift") ? Int(fields[1]) ?? 0 : 0, text: ""))
      } else if line.hasPrefix("<unknown>") || line.hasPrefix("error:") {
        messages.append(Message(line: 0, text: ""))
      }
      if !messages.isEmpty { messages[messages.count - 1].text += line + "\n" }
    }
    return messages
  }

  /// The first swiftc of `PATH`.
  static let compiler: String? = getenv("PATH").flatMap { path in
    String(cString: path).split(separator: ":").map { "\($0)/swiftc" }.first { access($0, X_OK) == 0 }
  }
}
