// What the precompiled headers of all tests are made with.
