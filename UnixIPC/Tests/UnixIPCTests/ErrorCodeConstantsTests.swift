import Glibc
import Testing
import UnixIPCTestSupport

@_spi(Begat) @testable import UnixCore

@Suite(.timeLimit(.minutes(30))) struct ErrorCodeConstantsTests {
  private static let package = String("\(#filePath)".split(separator: "/Tests/UnixIPCTests")[0])
  private static let file = package + "/Sources/UnixCore/Errors/ErrorCode+Constants.swift"

  private func text() throws -> String {
    String(decoding: try Descriptor.open(Self.file, .readOnly).readPrefix(1 << 20), as: UTF8.self)
  }

  @Test("are what the script gives")
  func areGenerated() throws {
    let program = Program(
      path: "/usr/bin/env", arguments: ["python3", Self.package + "/Scripts/generate-error-codes"],
      environment: .inherited)
    let ends = try PipeEnds()
    let reading = ends.readEnd
    let writing = ends.writeEnd
    let null = try Descriptor.open("/dev/null", .readOnly)
    let child = try program.spawn(descriptors: [null.number, writing.number, STDERR_FILENO])
    _ = consume writing
    let generated = String(decoding: try reading.readPrefix(1 << 20), as: UTF8.self)
    let status = try child.waitForExit()
    #expect(status == .exited(code: 0))
    #expect(try generated == text())
  }

  @Test("name every number of the C library")
  func areComplete() throws {
    let text = try text()
    var count = 0
    for number in CInt(1)..<4096 {
      let name = ErrorCode(rawValue: number).name
      guard name.hasPrefix("E") else { continue }
      count += 1
      #expect(text.contains(" = ErrorCode(rawValue: \(name))\n"), "\(name)")
    }
    #expect(count > 120)
  }
}
