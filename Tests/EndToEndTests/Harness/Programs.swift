import Foundation
import Glibc

/// The programs under test.
enum Programs {
  /// `BEGAT_PROGRAMS`, else what `make` built.
  private static let directory =
    ProcessInfo.processInfo.environment["BEGAT_PROGRAMS"] ?? "\(package)/.build/release"

  /// Where the package's sources are.
  static let package =
    "/" + URL(fileURLWithPath: #filePath).pathComponents.dropLast(4).dropFirst().joined(separator: "/")

  static func begatd() throws -> String { try find("begatd") }
  static func listener() throws -> String { try find("begat-listener") }
  static func begat() throws -> String { try find("begat") }

  private static func find(_ name: String) throws -> String {
    let path = "\(directory)/\(name)"
    guard access(path, X_OK) == 0 else {
      throw HarnessFailure("\(path) is missing: run make build first, or set BEGAT_PROGRAMS to the programs' directory")
    }
    return path
  }

  /// Where `make test-deps` unpacks programs that it does not install: `BEGAT_PEERS`, else what `make` uses.
  static let peers =
    (ProcessInfo.processInfo.environment["BEGAT_PEERS"] ?? "\(package)/.build/peers") + "/bin"

  /// A program that real users have.
  static func tool(_ name: String) throws -> String {
    for directory in [peers, "/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"] {
      let path = "\(directory)/\(name)"
      if access(path, X_OK) == 0 { return path }
    }
    throw HarnessFailure("\(name) is missing: run make test-deps")
  }
}
