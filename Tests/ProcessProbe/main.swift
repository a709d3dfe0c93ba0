import UnixIPC
endProcess(status: 64)
