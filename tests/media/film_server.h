#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace moviechat::testing {

/// A web server on 127.0.0.1, which answers as it is told, in a thread for each connection.
class FilmServer {
 public:
  /// The one who asks. Both give false when he has gone, or the server ends.
  class Client {
   public:
    Client(int socket, const std::atomic<bool>& over) : socket_(socket), over_(over) {}
    bool send(std::string_view bytes);
    bool wait(double seconds);

   private:
    int socket_;
    const std::atomic<bool>& over_;
  };
  /// Answers a request, whose first lines are `head`; the connection is closed after it.
  using Answer = std::function<void(const std::string& head, Client& client)>;

  explicit FilmServer(Answer answer);
  ~FilmServer();
  FilmServer(const FilmServer&) = delete;
  FilmServer& operator=(const FilmServer&) = delete;

  std::string address(const std::string& path = "film") const;
  std::vector<std::string> requests();  // their first lines

 private:
  void accept_all();
  void serve(int socket);

  Answer answer_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> over_{false};
  std::mutex mutex_;
  std::vector<std::string> requests_;
  std::vector<std::jthread> threads_;
  std::jthread acceptor_;
};

/// The byte from which on a request wants the film; -1: it does not say.
int64_t wanted_from(const std::string& head);

/// As most servers answer: any part of a film.
FilmServer::Answer with_ranges(const std::string& film);
/// The whole film, whatever part is asked for.
FilmServer::Answer without_ranges(const std::string& film);
/// Neither parts nor a length: the end of the connection is the film's.
FilmServer::Answer without_length(const std::string& film);
/// So many bytes of a film, whose length it says, then nothing.
FilmServer::Answer cut_after(const std::string& film, size_t bytes);

}  // namespace moviechat::testing
