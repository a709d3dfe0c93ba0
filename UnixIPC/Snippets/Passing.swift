// Passes open files over a Unix socket: the receiver gets descriptors of its own, for files that it may not even be
// allowed to open.  Both ends are in one program here; they may as well be in two.

import UnixIPC

CommandLineProgram.run {
  let pair = try SocketPair(kind: .sequencedPacket)

  // The sender keeps what it duplicates, and gives away what it appends.
  let pipe = try PipeEnds()
  let input = pipe.readEnd
  var files = DescriptorList()
  try files.append(duplicateOf: try Descriptor.open("/etc/hostname", .readOnly))
  files.append(pipe.writeEnd)
  try pair.first.send("a file and a pipe", passing: files)

  // The receiver says how many are welcome.  When more come, all of them are closed.
  var message = try pair.second.receive(maxCount: 100, maxPassed: 2, until: Deadline(after: .seconds(5)))
  print("\(String(decoding: message.bytes, as: UTF8.self)): \(message.descriptors.count) descriptors")
  guard let file = message.descriptors.takeFirst(), let output = message.descriptors.takeFirst() else {
    throw CommandLineProgram.Exit(status: 1, message: "they are missing")
  }
  try output.writeAll(file.readPrefix(100))
  print("through the pipe:", String(decoding: try input.read(maxCount: 100), as: UTF8.self), terminator: "")

  // One descriptor is passed as it is.
  try pair.first.send("the null device", passing: Descriptor.open("/dev/null", .writeOnly))
  do throws(SystemCallError) {
    _ = try pair.second.receive(maxCount: 100, maxPassed: 0)
  } catch {
    print("not welcome:", error.code)
  }
}
