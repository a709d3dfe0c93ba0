import Glibc
import References
@_spi(Begat) import UnixCore

// Writes the files that are made from the keys: `write-references DIRECTORY`, the root of the repository.
guard CommandLine.arguments.count == 2 else {
  try? StandardError.writeAtOnce("usage: write-references DIRECTORY\n")
  exit(64)
}
do {
  for (path, text) in References.files {
    let file = "\(CommandLine.arguments[1])/\(path)"
    try Descriptor.open(file, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644).writeAll(text)
  }
} catch {
  try? StandardError.writeAtOnce("write-references: \(error)\n")
  exit(1)
}
