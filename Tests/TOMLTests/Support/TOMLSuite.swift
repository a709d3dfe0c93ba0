import Foundation

/// The files of toml-test (github.com/toml-lang/toml-test), which are no part of the project: a folder beside the
/// checkout, or that which BEGAT_TOML_TEST names.
enum TOMLSuite {
  static let path =
    ProcessInfo.processInfo.environment["BEGAT_TOML_TEST"]
    ?? String(#filePath.prefix(upTo: #filePath.range(of: "/Tests/TOMLTests/")!.lowerBound)) + "/../shared/toml-test"

  static let isPresent = FileManager.default.fileExists(atPath: "\(path)/files-toml-1.0.0")

  /// The names of the files that are meant for TOML 1.0, below `valid` or `invalid`.
  static func names(below folder: String) throws -> [String] {
    try String(contentsOfFile: "\(path)/files-toml-1.0.0", encoding: .utf8).split(separator: "\n").map(String.init)
      .filter { $0.hasPrefix("\(folder)/") && $0.hasSuffix(".toml") }
  }

  static func bytes(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)")))
  }

  /// What JSONSerialization makes of the values beside a valid file.
  static func values(beside name: String) throws -> Any {
    try JSONSerialization.jsonObject(with: Data(bytes(name.dropLast("toml".count) + "json")))
  }
}
