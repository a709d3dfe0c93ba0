import Glibc
import Testing

@testable import Configuration

/// The place of a user's own configuration.
@Suite struct UserConfigurationTests {
  private static func file(_ variables: [String: String], user: uid_t = 1000) -> String? {
    UserConfiguration.file(of: user, []) { variables[$0] }
  }

  @Test("is below XDG_CONFIG_HOME, else below .config in the home directory")
  func places() {
    #expect(Self.file(["XDG_CONFIG_HOME": "/c", "HOME": "/h"]) == "/c/begat/begatd.toml")
    #expect(Self.file(["HOME": "/h"]) == "/h/.config/begat/begatd.toml")
    for ignored in ["", "relative"] {
      #expect(Self.file(["XDG_CONFIG_HOME": ignored, "HOME": "/h"]) == "/h/.config/begat/begatd.toml")
      #expect(Self.file(["HOME": ignored]) == nil)
    }
    #expect(Self.file([:]) == nil)
  }

  @Test("is none for root, and for a begatd with capabilities")
  func privileged() {
    #expect(Self.file(["HOME": "/h"], user: 0) == nil)
    #expect(UserConfiguration.file(of: 1000, .bindLowPorts) { _ in "/h" } == nil)
  }

  @Test("comes before the machine's, if it exists, with its own additions")
  func order() throws {
    let directory = try TemporaryDirectory()
    func service(_ name: String) -> String { "[service.\(name)]\nserve = \"echo\"\nlisten-stream = [\"@\(name)\"]\n" }
    func names(user: String?, system: String) throws -> [String] {
      var surroundings = Surroundings.sample(user: 1000, systemFile: directory[system])
      surroundings.userFile = user.map { directory[$0] }
      return try Configuration.load(file: nil, in: surroundings).services.map(\.name)
    }
    try directory.makeDirectory("user")
    try directory.makeDirectory("user/conf.d")
    try directory.write(service("system"), to: "system.toml")
    try directory.write(service("extra"), to: "user/conf.d/1.toml")
    #expect(try names(user: "user/begatd.toml", system: "system.toml") == ["system"])
    try directory.write(service("own"), to: "user/begatd.toml")
    #expect(try names(user: "user/begatd.toml", system: "system.toml") == ["own", "extra"])
    #expect(try names(user: "user/begatd.toml", system: "none.toml") == ["own", "extra"])
    #expect(try names(user: nil, system: "system.toml") == ["system"])
    #expect(try names(user: "none.toml", system: "none.toml").contains("hello"))
  }
}
