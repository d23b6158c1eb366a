import { Box, SimpleGrid, Text } from "@mantine/core";
import type { ReactNode } from "react";

/** What is known of one thing: the name of each fact over its value. */
export function Facts(props: {
  readonly of: readonly { readonly name: string; readonly value: ReactNode; readonly about?: ReactNode }[];
  readonly cols?: number;
}): ReactNode {
  const { of, cols = 4 } = props;
  return (
    <SimpleGrid component="dl" cols={{ base: 1, xs: Math.min(2, cols), lg: cols }} spacing="lg" m={0}>
      {of.map(({ name, value, about }) => (
        <Box key={name} miw={0}>
          <Text component="dt" size="sm" c="dimmed">
            {name}
          </Text>
          <Box component="dd" m={0} mt={4} style={{ overflowWrap: "anywhere" }}>
            {value}
            {about !== undefined && (
              <Text size="sm" c="dimmed" mt={4}>
                {about}
              </Text>
            )}
          </Box>
        </Box>
      ))}
    </SimpleGrid>
  );
}
