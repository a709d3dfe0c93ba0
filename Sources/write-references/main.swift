import Glibc
import References
@_spi(Begat) import UnixCore

// Writes the files that are made from the keys: `write-references DIRECTORY`, the root of the repository.
guard CommandLine.arguments.count == 2 else {
  try? StandardError.tryWrite("usage: write-references DIRECTORY\n")
  exit(64)
}
do {
  for (path, text) in References.files {
    let file = "\(CommandLine.arguments[1])/\(path)"
    try Descriptor.open(file, [.writeOnly, .create, .truncate], mode: 0o644).writeAll(text)
  }
} catch {
  try? StandardError.tryWrite("write-references: \(error)\n")
  exit(1)
}
