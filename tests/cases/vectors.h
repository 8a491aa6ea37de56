// Vectors as JSON on one side, as the wire contract has them on the other.
//
// Dense ones are arrays of numbers ("nan" and "inf" among them), bits a text of 0 and 1, sparse
// ones an object of dimensions and values, or an array of [dimension, value] in any order.
#pragma once

#include <string>
#include <vector>

#include "case_file.h"
#include "schema.pb.h"

namespace elanus::cases {

/// The type of vectors that `value` can be written as: `wanted` where it fits, kNone for no vector.
model::DataType VectorTypeOf(model::DataType wanted, const Json& value);

/// The bytes of one vector, as a query carries them.
std::string VectorBytes(model::DataType type, const Json& value);

/// A column's vectors, all of `type`.
void EncodeVectors(model::DataType type, const std::vector<Json>& values,
                   milvus::proto::schema::VectorField* to);

/// The vectors of an answer: of its valid rows only.
std::vector<Json> DecodeVectors(const milvus::proto::schema::VectorField& vectors);

}  // namespace elanus::cases
