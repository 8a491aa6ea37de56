// What the operator says about functions: where model services are, whose keys open them, and how
// long, how often and how much they may be asked.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/option_spec.h"

namespace elanus::functions {

/// Keys that hold names of the operator's own: what follows the prefix, and its value.
using NamedValues = std::map<std::string, std::string>;

/// `credentials`: "<name>.apikey" and so on. The providers: "<provider>.url" and so on. Values of
/// credentials are secrets: they are sent to services and shown to nobody.
struct FunctionOptions {
  NamedValues credentials;
  NamedValues embedding_providers;
  NamedValues rerank_providers;
  NamedValues zilliz;  // One service for all that the provider of this name does.
  int64_t batch_factor = 5;
  double request_timeout_s = 30;
  double connect_timeout_s = 10;
  int64_t attempts_max = 3;
  int64_t backoff_ms = 1000;
  int64_t requests_max = 64;
  int64_t parallel_batches = 8;
  int64_t answer_bytes_max = 64 << 20;
  std::string ca_file;

  template <class Visitor>
  void Describe(Visitor& visit) {
    visit(credentials, OptionSpec{"credential.", "", 0, 0,
                                  "Named secrets of model services: credential.NAME.apikey.",
                                  "apikey|access_key_id|secret_access_key|credential_json"});
    visit(embedding_providers,
          OptionSpec{"function.textEmbedding.providers.", "", 0, 0,
                     "Of each provider of embeddings: its address, the name of its credential, "
                     "whether it may be used.",
                     "enable|url|credential|resource_name"});
    visit(rerank_providers,
          OptionSpec{"function.rerank.model.providers.", "", 0, 0,
                     "The same of each provider of model rerankers.", "enable|url|credential"});
    visit(zilliz, OptionSpec{"function.models.zilliz.", "", 0, 0,
                             "The service that embeds, reranks and highlights for the provider "
                             "\"zilliz\".",
                             "enable|url|credential"});
    visit(batch_factor, OptionSpec{"function.batch_factor", "batches", 1, 1e6,
                                   "Batches of a provider that one insert or search may need."});
    visit(request_timeout_s,
          OptionSpec{"function.model.requestTimeout", "seconds", 0.001, 3600,
                     "What a model service has for one batch, with all attempts."});
    visit(connect_timeout_s, OptionSpec{"function.model.connectTimeout", "seconds", 0.001, 3600,
                                        "What it has of that to be connected to."});
    visit(attempts_max, OptionSpec{"function.model.maxAttempts", "", 1, 100,
                                   "How often a batch is sent while the service is in trouble."});
    visit(backoff_ms,
          OptionSpec{"function.model.retryBackoff", "ms", 0, 600000,
                     "The pause before the second attempt; it doubles from one to the next."});
    visit(requests_max,
          OptionSpec{"function.model.maxConcurrentRequests", "", 1, 1e6,
                     "Requests that may wait for model services; one more is answered \"too "
                     "many\". Keep it below proxy.requestWorkers to keep workers for others."});
    visit(parallel_batches, OptionSpec{"function.model.parallelBatches", "", 1, 1024,
                                       "Batches that are sent at a time, beside those that "
                                       "requests send themselves."});
    visit(answer_bytes_max, OptionSpec{"function.model.maxResponseSize", "bytes", 1024, 4e9,
                                       "Largest answer of a model service."});
    visit(ca_file, OptionSpec{"function.model.tlsCACert", "", 0, 0,
                              "File of the certificates that vouch for model services, in PEM; "
                              "empty: those of the machine."});
  }
};

}  // namespace elanus::functions
