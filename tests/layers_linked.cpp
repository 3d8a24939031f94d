// Linked with every object of the layers, and nothing of the catalogue that they do not need.
int main() {}
