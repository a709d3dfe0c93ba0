// swift-tools-version: 6.2
import PackageDescription

// Starting programs and collecting their output, by UnixIPC and by swift-subprocess.
let package = Package(
  name: "spawn",
  dependencies: [
    .package(path: "../../UnixIPC"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
  ],
  targets: [
    .executableTarget(name: "spawn-begat", dependencies: [.product(name: "UnixIPC", package: "UnixIPC")]),
    .executableTarget(
      name: "spawn-subprocess", dependencies: [.product(name: "Subprocess", package: "swift-subprocess")]),
  ]
)
