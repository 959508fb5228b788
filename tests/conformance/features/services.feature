@requires-http
Feature: Services that have a stand-in

  Scenario: A pet is found by its number
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: test, name: pet, version: '0.1.0' }
    do:
      - find:
          call: http
          with:
            method: get
            endpoint: https://petstore.swagger.io/v2/pet/{petId}
          output:
            as: .id
    """
    And given the workflow input is:
    """yaml
    petId: 7
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    7
    """

  Scenario: A user is let in
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: test, name: login, version: '0.1.0' }
    do:
      - login:
          call: http
          with:
            method: get
            endpoint:
              uri: https://httpbin.org/basic-auth/{user}/{password}
              authentication:
                basic:
                  username: ${ .user }
                  password: ${ .password }
    """
    And given the workflow input is:
    """yaml
    user: ada
    password: lovelace
    """
    When the workflow is executed
    Then the workflow should complete
    And the workflow output should have a 'user' property with value:
    """yaml
    ada
    """
