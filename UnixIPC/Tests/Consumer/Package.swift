// swift-tools-version: 6.1
import PackageDescription

// A program of somebody else's: it knows the product UnixIPC and nothing more of begat.
let package = Package(
  name: "consumer",
  dependencies: [.package(name: "begat", path: "../..")],
  targets: [.executableTarget(name: "consumer", dependencies: [.product(name: "UnixIPC", package: "begat")])],
  swiftLanguageModes: [.v6]
)
