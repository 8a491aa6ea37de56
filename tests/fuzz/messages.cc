// Parts of messages: what parses as one is decoded or refused, and what was decoded is sound.
#include <cstdlib>
#include <string>

#include "schema.pb.h"
#include "target.h"
#include "wire/grpc/column_codec.h"
#include "wire/grpc/schema_codec.h"
#include "wire/grpc/vector_codec.h"

namespace elanus::fuzz {
namespace {

namespace pb = milvus::proto::schema;

// A decoded column can be read whole and sent again.
void Encode(const model::Column& column) {
  pb::FieldData answer;
  wire::EncodeColumn(column, &answer);
  if (answer.ByteSizeLong() > (1u << 30)) std::abort();
}

}  // namespace

void Messages(const uint8_t* bytes, size_t size) {
  if (size == 0) return;
  const std::string message(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  switch (bytes[0] % 4) {
    case 0: {
      pb::FieldData field;
      if (!field.ParseFromString(message)) return;
      const auto column = wire::DecodeColumn(field);
      if (column.ok() && model::IsVector(column->type) == false) Encode(*column);
      return;
    }
    case 1: {
      (void)wire::DecodeQueries(message);
      return;
    }
    case 2: {
      pb::CollectionSchema schema;
      if (schema.ParseFromString(message)) (void)wire::DecodeSchema(schema);
      return;
    }
    case 3: {
      pb::TemplateValue value;
      if (value.ParseFromString(message)) (void)wire::DecodeTemplate(value);
      return;
    }
  }
}

}  // namespace elanus::fuzz
