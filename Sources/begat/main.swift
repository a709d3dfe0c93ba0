import Clients
import Administration
import ArgumentParser
print(placeholderClients)
