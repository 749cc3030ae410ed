// Counts the words of the standard input.
#include <cstdio>
#include <map>
#include <string>

int main() {
    std::map<std::string, int> words;
    std::string word;
    for (int byte = std::getchar(); byte != EOF; byte = std::getchar()) {
        if (byte > ' ') {
            word.push_back(static_cast<char>(byte));
        } else if (!word.empty()) {
            words[word]++;
            word.clear();
        }
    }
    for (const auto &[text, count] : words)
        std::printf("%s %d\n", text.c_str(), count);
}
