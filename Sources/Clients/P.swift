public let placeholderClients = 1
